// Adafactor (Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost"), operation by
// operation as torch/optim/_adafactor.py does it on the CPU (_single_tensor_adafactor). Between the sums over all
// elements, which PyTorch needs too, it goes over memory once, with the same bits. In fast mode sums of many small
// matrices, as of convolutions, are part of that pass, in another order.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
#include "src/optimizers/factored_changes.h"
#include "src/optimizers/matrices.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

struct Options {
  explicit Options(const Choice& choice)
      : rate(choice.number("learningRate")),
        decay_exponent(choice.number("beta2Decay")),
        epsilon1(choice.numbers("eps", 2)[0]),
        epsilon2(choice.numbers("eps", 2)[1]),
        threshold(choice.number("d")),
        weight_decay(choice.number("weightDecay")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double decay_exponent;
  double epsilon1;  // NaN: that of the parameter's dtype
  double epsilon2;
  double threshold;
  double weight_decay;
  bool maximize;
};

// torch.finfo(dtype).eps
double epsilon_of(at::ScalarType dtype) {
  if (dtype == at::kDouble) return std::numeric_limits<double>::epsilon();
  if (dtype == at::kBFloat16) return 1.0 / 128;
  if (dtype == at::kHalf) return 1.0 / 1024;
  return std::numeric_limits<float>::epsilon();
}

double norm_of(const at::Tensor& tensor) { return at::linalg_vector_norm(tensor).item<double>(); }

// The mean of the squares along an axis, rounded as in PyTorch.
at::Tensor mean_square(const at::Tensor& gradient, int64_t axis) {
  return at::linalg_vector_norm(gradient, 2, axis, /*keepdim=*/true).square_().div_(gradient.size(axis));
}

class Adafactor : public ByParameter {
 public:
  Adafactor(const std::vector<at::Tensor>& parameters, const Options& options, ParameterShapes shapes, bool is_fast)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"row_var", Slot::Shape::kRows},
                     {"col_var", Slot::Shape::kColumns},
                     {"variance", Slot::Shape::kVector}},
                    options.maximize, std::move(shapes)),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const double step = count_step(slots[0]);
    const double added = std::pow(step, options_.decay_exponent);
    const double rate = std::min(options_.rate, 1 / std::pow(step, 0.5));
    const auto count = static_cast<double>(parameter.numel());
    const double size = std::max(options_.epsilon2, norm_of(parameter) / std::pow(count, 0.5)) * rate;
    const double epsilon = std::isnan(options_.epsilon1) ? epsilon_of(parameter.scalar_type()) : options_.epsilon1;

    at::Tensor weights = parameter, change;
    std::optional<double> square_sum;
    if (slots[kVariance].defined()) {
      change = change_of_vector(gradient, slots[kVariance], added, epsilon);
    } else if (is_fast_ && are_many(gradient, slots[kRows], slots[kColumns])) {
      change = at::empty_like(gradient);
      square_sum = change_many(gradient, slots[kRows], slots[kColumns], change, added, epsilon);
    } else {
      const bool is_image = slots[kRows].dim() != parameter.dim();
      if (is_image) {
        weights = rows_in_memory(parameter);
        gradient = rows_in_memory(gradient);
      }
      slots[kRows].lerp_(mean_square(gradient, -1), added);
      const at::Tensor columns = mean_square(gradient, -2);
      slots[kColumns].lerp_(is_image ? to_state_order(columns, parameter) : columns, added);
      change = change_of_matrices(gradient, slots[kRows],
                                  is_image ? to_memory_order(slots[kColumns], parameter) : slots[kColumns], epsilon);
    }
    const double norm = square_sum ? std::sqrt(*square_sum) : norm_of(change);
    const double divisor = std::max(1.0, norm / (std::pow(count, 0.5) * options_.threshold));
    move(weights, change, -size / divisor);
  }

  // Adds `factor` times the change to the weights, after their decay.
  void move(const at::Tensor& weights, const at::Tensor& change, double factor) const {
    const double left = 1 - options_.rate * options_.weight_decay;
    if (!fit_one_pass({weights, change})) {
      if (options_.weight_decay != 0) scale(weights, left);
      weights.add_(change, factor);
      return;
    }
    auto* const parameters = weights.mutable_data_ptr<float>();
    const auto* const changes = change.const_data_ptr<float>();
    const auto kept = static_cast<float>(options_.weight_decay == 0 ? 1 : left), share = static_cast<float>(factor);
    over_elements(weights.numel(),
                  [=](int64_t i) INLINED { parameters[i] = __builtin_fmaf(changes[i], share, parameters[i] * kept); });
  }

  static constexpr size_t kRows = 1, kColumns = 2, kVariance = 3;

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adafactor(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          const ParameterShapes& shapes, bool is_fast) {
  return std::make_unique<Adafactor>(parameters, Options(choice), shapes, is_fast);
}

}  // namespace incremental
