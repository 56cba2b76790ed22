// NAdam, operation by operation as torch/optim/nadam.py does it on the CPU (_single_tensor_nadam).
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
        momentum_decay(choice.number("momentumDecay")),
        decoupled(choice.boolean("decoupledWeightDecay")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  double momentum_decay;
  bool decoupled;
  bool maximize;
};

class NAdam : public ByParameter {
 public:
  NAdam(const std::vector<at::Tensor>& parameters, const Options& options, bool is_fast)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"mu_product", Slot::Shape::kNumber, 1},
                     {"exp_avg", Slot::Shape::kParameter},
                     {"exp_avg_sq", Slot::Shape::kParameter}},
                    options.maximize),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const auto& [rate, beta1, beta2, epsilon, weight_decay, momentum_decay, decoupled, maximize] = options_;
    const at::Tensor &average = slots[2], &square = slots[3];
    const double step = count_step(slots[0]);
    const double correction = 1 - std::pow(beta2, step);
    const double mu = beta1 * (1.0 - 0.5 * std::pow(0.96, step * momentum_decay));
    const double next_mu = beta1 * (1.0 - 0.5 * std::pow(0.96, (step + 1) * momentum_decay));
    const auto product = slots[1].mul_(mu).item<double>();
    const double of_gradient = -rate * (1.0 - mu) / (1.0 - product);
    const double of_average = -rate * next_mu / (1.0 - product * next_mu);
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
                 corrected = static_cast<float>(correction), added_to = static_cast<float>(epsilon),
                 of_slope = static_cast<float>(of_gradient), of_mean = static_cast<float>(of_average);
      return over_elements(parameter.numel(), [=, decoupled = decoupled](int64_t i) INLINED {
        const float weight = decoupled ? parameters[i] * left : parameters[i];
        const float slope = decays ? __builtin_fmaf(weight, decay, gradients[i]) : gradients[i];
        averages[i] = lerp(averages[i], slope);
        squares[i] = __builtin_fmaf(added * slope, slope, squares[i] * kept);
        const float root = __builtin_sqrtf(squares[i] / corrected) + added_to;
        parameters[i] = weight + of_slope * slope / root + of_mean * averages[i] / root;
      });
    }
    gradient = decayed(parameter, gradient, rate, weight_decay, decoupled);
    average.lerp_(gradient, 1 - beta1);
    scale(square, beta2).addcmul_(gradient, gradient, 1 - beta2);
    const at::Tensor root = square.div(correction).sqrt().add_(epsilon);
    parameter.addcdiv_(gradient, root, of_gradient);
    parameter.addcdiv_(average, root, of_average);
  }

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_n_adam(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<NAdam>(parameters, Options(choice), is_fast);
}

}  // namespace incremental
