// ASGD, operation by operation as torch/optim/asgd.py does it on the CPU (_single_tensor_asgd).
#include <algorithm>
#include <cmath>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/elementwise.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

struct Options {
  explicit Options(const Choice& choice)
      : rate(choice.number("learningRate")),
        lambd(choice.number("lambd")),
        alpha(choice.number("alpha")),
        t0(choice.number("t0")),
        weight_decay(choice.number("weightDecay")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double lambd;
  double alpha;
  double t0;
  double weight_decay;
  bool maximize;
};

class Asgd : public ByParameter {
 public:
  Asgd(const std::vector<at::Tensor>& parameters, const Options& options)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"eta", Slot::Shape::kNumber, options.rate},
                     {"mu", Slot::Shape::kNumber, 1},
                     {"ax", Slot::Shape::kParameter}},
                    options.maximize),
        options_(options) {}

  // As in PyTorch, a parameter's first step begins with the rate of that moment.
  void set_options(const Choice& choice) override {
    options_ = Options(choice);
    set_start(1, options_.rate);
  }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const auto& [rate, lambd, alpha, t0, weight_decay, maximize] = options_;
    const at::Tensor &eta = slots[1], &mu = slots[2], &average = slots[3];
    const double step = count_step(slots[0]);
    const auto size = eta.item<double>();
    const auto share = mu.item<double>();
    eta.fill_(rate / std::pow(1 + lambd * rate * step, alpha));
    mu.fill_(1 / std::max(1.0, step - t0));
    if (fit_one_pass({parameter, gradient, average})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const averages = average.mutable_data_ptr<float>();
      const bool decays = options_.weight_decay != 0;
      const auto decay = static_cast<float>(options_.weight_decay);
      const auto left = static_cast<float>(1 - lambd * size), factor = static_cast<float>(-size),
                 part = static_cast<float>(share);
      const bool averaging = share != 1;
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float slope = decays ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
        const float weight = __builtin_fmaf(slope, factor, parameters[i] * left);
        parameters[i] = weight;
        averages[i] = averaging ? averages[i] + (weight - averages[i]) * part : weight;
      });
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    scale(parameter, 1 - lambd * size);
    parameter.add_(gradient, -size);
    if (share != 1) {
      average.add_(scale(parameter.sub(average), share));
    } else {
      average.copy_(parameter);
    }
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Optimizer> make_asgd(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  return std::make_unique<Asgd>(parameters, Options(choice));
}

}  // namespace incremental
