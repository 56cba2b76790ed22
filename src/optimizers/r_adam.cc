// RAdam, operation by operation as torch/optim/radam.py does it on the CPU (_single_tensor_radam).
#include <cmath>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

struct Options {
  explicit Options(const Choice& choice)
      : rate(choice.number("learningRate")),
        beta1(choice.numbers("betas", 2)[0]),
        beta2(choice.numbers("betas", 2)[1]),
        epsilon(choice.number("eps")),
        weight_decay(choice.number("weightDecay")),
        decoupled(choice.boolean("decoupledWeightDecay")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  bool decoupled;
  bool maximize;
};

class RAdam : public ByParameter {
 public:
  RAdam(const std::vector<at::Tensor>& parameters, const Options& options, bool is_fast)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"exp_avg", Slot::Shape::kParameter},
                     {"exp_avg_sq", Slot::Shape::kParameter}},
                    options.maximize),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const auto& [rate, beta1, beta2, epsilon, weight_decay, decoupled, maximize] = options_;
    const at::Tensor &average = slots[1], &square = slots[2];
    const double step = count_step(slots[0]);
    const double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
    // Lengths of the approximated simple moving average: the largest, and that of this step.
    const double longest = 2 / (1 - beta2) - 1;
    const double length = longest - 2 * step * std::pow(beta2, step) / correction2;
    const bool rectifies = length > 5;
    const double rectification =
        rectifies ? std::pow((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length), 0.5) : 1;
    if (is_fast_ && fit_one_pass({parameter, gradient, average, square})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const averages = average.mutable_data_ptr<float>();
      auto* const squares = square.mutable_data_ptr<float>();
      const bool decays = weight_decay != 0 && !decoupled;
      const auto decay = static_cast<float>(weight_decay);
      const auto left = static_cast<float>(1 - rate * weight_decay);
      const Lerp lerp(1 - beta1);
      const auto kept = static_cast<float>(beta2), added = static_cast<float>(1 - beta2),
                 added_to = static_cast<float>(epsilon), factor = static_cast<float>(rate / correction1),
                 of_root = static_cast<float>(std::pow(correction2, 0.5) * rectification);
      return over_elements(parameter.numel(), [=, decoupled = decoupled](int64_t i) INLINED {
        const float weight = decoupled ? parameters[i] * left : parameters[i];
        const float slope = decays ? __builtin_fmaf(weight, decay, gradients[i]) : gradients[i];
        averages[i] = lerp(averages[i], slope);
        squares[i] = __builtin_fmaf(added * slope, slope, squares[i] * kept);
        const float scale = rectifies ? of_root / (__builtin_sqrtf(squares[i]) + added_to) : 1;
        parameters[i] = weight - averages[i] * factor * scale;
      });
    }
    gradient = decayed(parameter, gradient, rate, weight_decay, decoupled);
    average.lerp_(gradient, 1 - beta1);
    scale(square, beta2).addcmul_(gradient, gradient, 1 - beta2);
    at::Tensor change = scale(average.div(correction1), rate);
    if (rectifies) {
      // A number by a tensor is the tensor's reciprocal times the number there.
      change.mul_(scale(square.sqrt().add_(epsilon).reciprocal_(), std::pow(correction2, 0.5)));
      scale(change, rectification);
    }
    parameter.add_(change, -1);
  }

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_r_adam(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<RAdam>(parameters, Options(choice), is_fast);
}

}  // namespace incremental
