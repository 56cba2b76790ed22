// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), operation by operation as
// torch/optim/adam.py does them on the CPU (_single_tensor_adam), in one pass over memory where that has the same bits.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

enum class Decay { kNone, kGradient, kWeight };

struct AdamOptions {
  explicit AdamOptions(const Choice& choice);  // all of them

  double learning_rate, beta1, beta2, epsilon, weight_decay;
  bool amsgrad, maximize;
};

class Adam : public ByParameter {
 public:
  // `decoupled`: weights decay by themselves, instead of through their gradients.
  // `is_fast`: in one pass, with other roundings.
  Adam(std::vector<at::Tensor> parameters, const AdamOptions& options, bool decoupled, bool is_fast);

  void set_options(const Choice& choice) override { options_ = AdamOptions(choice); }
  std::optional<Bounds> bounds_after(const Bounds& before, double gradient_norm) const override;

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override;

  template <Decay kDecay>
  void update_at_once(const at::Tensor& parameter, const at::Tensor& gradient, const std::vector<at::Tensor>& slots,
                      double correction, double step_size) const;

  AdamOptions options_;
  bool decoupled_, is_fast_;
};

AdamOptions::AdamOptions(const Choice& choice)
    : learning_rate(choice.number("learningRate")),
      beta1(choice.numbers("betas", 2)[0]),
      beta2(choice.numbers("betas", 2)[1]),
      epsilon(choice.number("eps")),
      weight_decay(choice.number("weightDecay")),
      amsgrad(choice.boolean("amsgrad")),
      maximize(choice.boolean("maximize")) {}

Adam::Adam(std::vector<at::Tensor> parameters, const AdamOptions& options, bool decoupled, bool is_fast)
    : ByParameter(std::move(parameters),
                  {{"step", Slot::Shape::kNumber},
                   {"exp_avg", Slot::Shape::kParameter},
                   {"exp_avg_sq", Slot::Shape::kParameter},
                   {"max_exp_avg_sq", options.amsgrad ? Slot::Shape::kParameter : Slot::Shape::kNone}},
                  options.maximize),
      options_(options),
      decoupled_(decoupled),
      is_fast_(is_fast) {}

std::optional<Optimizer::Bounds> Adam::bounds_after(const Bounds& before, double gradient_norm) const {
  const auto& [rate, beta1, beta2, epsilon, weight_decay, amsgrad, maximize] = options_;
  const double slope = (gradient_norm + (decoupled_ ? 0 : weight_decay * before.weight)) * kRounding;
  // Averages are no larger than what they are made of.
  const double state = std::max({before.state, slope, slope * slope}) * kRounding;
  // Dividing by no less than epsilon, with the bias correction of the first step.
  const double change = rate * state / (1 - beta1) / static_cast<float>(epsilon);
  const double left = decoupled_ ? std::max(1.0, std::abs(1 - rate * weight_decay)) : 1;
  const double weight = (before.weight * left + change) * kRounding;
  // Not so where it is NaN.
  const bool fits = state < kLargest && change < kLargest && weight < kLargest;
  return fits ? std::optional(Bounds{weight, state}) : std::nullopt;
}

// The same as the calls of update() below, for each element: of the moments, and by them of the weights. ATen takes the
// roots in between, unless this is fast.
template <Decay kDecay>
void Adam::update_at_once(const at::Tensor& parameter, const at::Tensor& gradient, const std::vector<at::Tensor>& slots,
                          double correction, double step_size) const {
  const int64_t count = parameter.numel();
  const at::Tensor& divisor = slots[options_.amsgrad ? 3 : 2];
  auto* const parameters = parameter.mutable_data_ptr<float>();
  auto* const averages = slots[1].mutable_data_ptr<float>();
  auto* const squares = slots[2].mutable_data_ptr<float>();
  auto* const largest = options_.amsgrad ? divisor.mutable_data_ptr<float>() : nullptr;
  const auto* const gradients = gradient.const_data_ptr<float>();
  const Lerp lerp(1 - options_.beta1);
  const auto kept = static_cast<float>(options_.beta2), added = static_cast<float>(1 - options_.beta2);
  const auto corrected = static_cast<float>(correction), epsilon = static_cast<float>(options_.epsilon),
             change = static_cast<float>(-step_size);
  const double factor =
      kDecay == Decay::kWeight ? 1 - options_.learning_rate * options_.weight_decay : options_.weight_decay;
  const auto decay = static_cast<float>(factor);
  // The weight is read once: between two reads GCC would look for a change, and leave the loop without vectors.
  const auto moments = [=](int64_t i, float weight) INLINED {
    const float slope = kDecay == Decay::kGradient ? __builtin_fmaf(weight, decay, gradients[i]) : gradients[i];
    averages[i] = lerp(averages[i], slope);
    const float square = __builtin_fmaf(added * slope, slope, squares[i] * kept);
    squares[i] = square;
    return square;
  };
  const auto moved = [=](int64_t i, float weight, float root) INLINED {
    const float left = kDecay == Decay::kWeight ? weight * decay : weight;
    return left + change * averages[i] / (root / corrected + epsilon);
  };
  const bool amsgrad = options_.amsgrad;
  if (is_fast_ && amsgrad) {
    return over_elements(count, [=](int64_t i) INLINED {
      const float weight = parameters[i];
      largest[i] = larger(largest[i], moments(i, weight));
      parameters[i] = moved(i, weight, __builtin_sqrtf(largest[i]));
    });
  }
  if (is_fast_) {
    return over_elements(count, [=](int64_t i) INLINED {
      const float weight = parameters[i];
      parameters[i] = moved(i, weight, __builtin_sqrtf(moments(i, weight)));
    });
  }
  if (amsgrad) {
    over_elements(count, [=](int64_t i) INLINED { largest[i] = larger(largest[i], moments(i, parameters[i])); });
  } else {
    over_elements(count, [=](int64_t i) INLINED { moments(i, parameters[i]); });
  }
  const at::Tensor root = divisor.sqrt();
  const auto* const roots = root.const_data_ptr<float>();
  over_elements(count, [=](int64_t i) INLINED { parameters[i] = moved(i, parameters[i], roots[i]); });
}

void Adam::update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const {
  const at::Tensor &average = slots[1], &square = slots[2], &largest = slots[3];
  const auto& [rate, beta1, beta2, epsilon, weight_decay, amsgrad, maximize] = options_;
  const double step = count_step(slots[0]);
  const double step_size = rate / (1 - std::pow(beta1, step));
  const double correction = std::pow(1 - std::pow(beta2, step), 0.5);
  const Decay decay = weight_decay == 0 ? Decay::kNone : decoupled_ ? Decay::kWeight : Decay::kGradient;

  if (fit_one_pass({parameter, gradient, average, square}) && (!amsgrad || fit_one_pass({parameter, largest}))) {
    if (decay == Decay::kNone) return update_at_once<Decay::kNone>(parameter, gradient, slots, correction, step_size);
    if (decay == Decay::kWeight) {
      return update_at_once<Decay::kWeight>(parameter, gradient, slots, correction, step_size);
    }
    return update_at_once<Decay::kGradient>(parameter, gradient, slots, correction, step_size);
  }

  gradient = decayed(parameter, gradient, rate, weight_decay, decoupled_);
  average.lerp_(gradient, 1 - beta1);
  scale(square, beta2).addcmul_(gradient, gradient, 1 - beta2);
  if (amsgrad) at::maximum_out(slots[3], largest, square);
  const at::Tensor root = (amsgrad ? largest : square).sqrt().div_(correction).add_(epsilon);
  parameter.addcdiv_(average, root, -step_size);
}

}  // namespace

std::unique_ptr<Optimizer> make_adam(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<Adam>(parameters, AdamOptions(choice), /*decoupled=*/false, is_fast);
}

std::unique_ptr<Optimizer> make_adam_w(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<Adam>(parameters, AdamOptions(choice), /*decoupled=*/true, is_fast);
}

}  // namespace incremental
