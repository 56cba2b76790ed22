// Adamax, operation by operation as torch/optim/adamax.py does it on the CPU (_single_tensor_adamax).
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
        maximize(choice.boolean("maximize")) {}

  double rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  bool maximize;
};

class Adamax : public ByParameter {
 public:
  Adamax(const std::vector<at::Tensor>& parameters, const Options& options)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"exp_avg", Slot::Shape::kParameter},
                     {"exp_inf", Slot::Shape::kParameter}},
                    options.maximize),
        options_(options) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const at::Tensor &average = slots[1], &largest = slots[2];
    const double step = count_step(slots[0]);
    const double change = -(options_.rate / (1 - std::pow(options_.beta1, step)));
    if (fit_one_pass({parameter, gradient, average, largest})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const averages = average.mutable_data_ptr<float>();
      auto* const norms = largest.mutable_data_ptr<float>();
      const bool decays = options_.weight_decay != 0;
      const auto decay = static_cast<float>(options_.weight_decay);
      const Lerp lerp(1 - options_.beta1);
      const auto kept = static_cast<float>(options_.beta2), epsilon = static_cast<float>(options_.epsilon),
                 factor = static_cast<float>(change);
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float slope = decays ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
        averages[i] = lerp(averages[i], slope);
        norms[i] = larger(norms[i] * kept, __builtin_fabsf(slope) + epsilon);
        parameters[i] += factor * averages[i] / norms[i];
      });
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    average.lerp_(gradient, 1 - options_.beta1);
    at::maximum_out(slots[2], scale(largest, options_.beta2), gradient.abs().add_(options_.epsilon));
    parameter.addcdiv_(average, largest, change);
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamax(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  return std::make_unique<Adamax>(parameters, Options(choice));
}

}  // namespace incremental
