// Adagrad, operation by operation as torch/optim/adagrad.py does it on the CPU (_single_tensor_adagrad).
#include <memory>
#include <vector>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

struct Options {
  explicit Options(const Choice& choice)
      : rate(choice.number("learningRate")),
        rate_decay(choice.number("learningRateDecay")),
        weight_decay(choice.number("weightDecay")),
        start(choice.number("initialAccumulatorValue")),
        epsilon(choice.number("eps")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double rate_decay;
  double weight_decay;
  double start;
  double epsilon;
  bool maximize;
};

class Adagrad : public ByParameter {
 public:
  Adagrad(const std::vector<at::Tensor>& parameters, const Options& options, bool is_fast)
      : ByParameter(parameters, {{"step", Slot::Shape::kNumber}, {"sum", Slot::Shape::kParameter, options.start}},
                    options.maximize),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const at::Tensor& sum = slots[1];
    const double step = count_step(slots[0]);
    const double change = -(options_.rate / (1 + (step - 1) * options_.rate_decay));
    if (is_fast_ && fit_one_pass({parameter, gradient, sum})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const sums = sum.mutable_data_ptr<float>();
      const bool decays = options_.weight_decay != 0;
      const auto decay = static_cast<float>(options_.weight_decay);
      const auto epsilon = static_cast<float>(options_.epsilon), factor = static_cast<float>(change);
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float slope = decays ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
        sums[i] = __builtin_fmaf(slope, slope, sums[i]);
        parameters[i] += factor * slope / (__builtin_sqrtf(sums[i]) + epsilon);
      });
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    sum.addcmul_(gradient, gradient, 1);
    parameter.addcdiv_(gradient, sum.sqrt().add_(options_.epsilon), change);
  }

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adagrad(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<Adagrad>(parameters, Options(choice), is_fast);
}

}  // namespace incremental
