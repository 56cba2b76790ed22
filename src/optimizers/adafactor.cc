// Adafactor (Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost"), operation by
// operation as torch/optim/_adafactor.py does it on the CPU (_single_tensor_adafactor). Between the sums over all
// elements, which PyTorch needs too, it goes over memory once, with the same bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
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

// Whether [image, channel, row, column] lie in memory as [image, row, column, channel].
bool are_channels_last(const at::Tensor& matrices) {
  return matrices.dim() == 4 && !matrices.is_contiguous() && matrices.is_contiguous(at::MemoryFormat::ChannelsLast);
}

class Adafactor : public ByParameter {
 public:
  Adafactor(const std::vector<at::Tensor>& parameters, const Options& options, ParameterShapes shapes)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"row_var", Slot::Shape::kRows},
                     {"col_var", Slot::Shape::kColumns},
                     {"variance", Slot::Shape::kVector}},
                    options.maximize, std::move(shapes)),
        options_(options) {}

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
    if (slots[kVariance].defined()) {
      change = change_of_vector(gradient, slots[kVariance], added, epsilon);
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
    const double divisor = std::max(1.0, norm_of(change) / (std::pow(count, 0.5) * options_.threshold));
    move(weights, change, -size / divisor);
  }

  // The gradient divided by the root of its variance.
  static at::Tensor change_of_vector(const at::Tensor& gradient, const at::Tensor& variance, double added,
                                     double epsilon) {
    if (!fit_one_pass({gradient, variance})) {
      variance.lerp_(gradient * gradient, added);
      return variance.clone().clamp_min_(epsilon * epsilon).rsqrt_().mul_(gradient);
    }
    at::Tensor change = at::empty_like(variance);
    auto* const changes = change.mutable_data_ptr<float>();
    auto* const variances = variance.mutable_data_ptr<float>();
    const auto* const gradients = gradient.const_data_ptr<float>();
    const Lerp lerp(added);
    const auto least = static_cast<float>(epsilon * epsilon);
    over_elements(variance.numel(), [=](int64_t i) INLINED {
      const float slope = gradients[i];
      const float square = slope * slope;
      const float estimate = lerp(variances[i], square);
      variances[i] = estimate;
      changes[i] = 1 / __builtin_sqrtf(estimate < least ? least : estimate) * slope;
    });
    return change;
  }

  // The same, where the variances of all elements are products of those of rows and of columns.
  static at::Tensor change_of_matrices(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& columns,
                                       double epsilon) {
    const at::Tensor divisor = rows.mean(-2, /*keepdim=*/true).clamp_min_(epsilon);
    const bool last = are_channels_last(gradient);
    if (!fit_one_pass({gradient}) || !(last || gradient.is_contiguous())) {
      return at::matmul(rows, columns).div_(divisor).clamp_min_(epsilon * epsilon).rsqrt_().mul_(gradient);
    }
    const auto in_memory = [&](const at::Tensor& factor) {
      return last ? factor.permute({0, 2, 3, 1}).contiguous() : factor.contiguous();
    };
    const at::Tensor kept_rows = in_memory(rows), kept_columns = in_memory(columns), kept_means = in_memory(divisor);
    at::Tensor change = at::empty_like(gradient);
    const auto* const gradients = gradient.const_data_ptr<float>();
    const auto* const of_rows = kept_rows.const_data_ptr<float>();
    const auto* const of_columns = kept_columns.const_data_ptr<float>();
    const auto* const means = kept_means.const_data_ptr<float>();
    auto* const changes = change.mutable_data_ptr<float>();
    const auto least = static_cast<float>(epsilon * epsilon);
    const int64_t height = gradient.size(-2), width = gradient.size(-1), inner = last ? gradient.size(1) : 1;
    const auto element = [=](float row, float column, float mean, float slope) INLINED {
      const float estimate = row * column / mean;
      return 1 / __builtin_sqrtf(estimate < least ? least : estimate) * slope;
    };
    const int64_t line = width * inner;
    if (line == 0) return change;
    const int64_t lines = gradient.numel() / line;
    if (last) {
      const auto of_line = [=](int64_t k) INLINED {
        const int64_t matrix = k / height;
        for (int64_t column = 0; column < width; ++column) {
          _Pragma("GCC ivdep") for (int64_t i = 0; i < inner; ++i) {
            const int64_t at = k * line + column * inner + i;
            changes[at] = element(of_rows[k * inner + i], of_columns[matrix * line + column * inner + i],
                                  means[matrix * inner + i], gradients[at]);
          }
        }
      };
      over_elements(lines, of_line, line);
    } else {
      const auto of_line = [=](int64_t k) INLINED {
        const int64_t matrix = k / height;
        const float row = of_rows[k], mean = means[matrix];
        const auto* const own = of_columns + matrix * width;
        _Pragma("GCC ivdep") for (int64_t i = 0; i < width; ++i) {
          changes[k * width + i] = element(row, own[i], mean, gradients[k * width + i]);
        }
      };
      over_elements(lines, of_line, line);
    }
    return change;
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
};

}  // namespace

std::unique_ptr<Optimizer> make_adafactor(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          const ParameterShapes& shapes) {
  return std::make_unique<Adafactor>(parameters, Options(choice), shapes);
}

}  // namespace incremental
