// Rprop, operation by operation as torch/optim/rprop.py does it on the CPU (_single_tensor_rprop).
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
        shrinking(choice.numbers("etas", 2)[0]),
        growing(choice.numbers("etas", 2)[1]),
        smallest(choice.numbers("stepSizes", 2)[0]),
        largest(choice.numbers("stepSizes", 2)[1]),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double shrinking;
  double growing;
  double smallest;
  double largest;
  bool maximize;
};

class Rprop : public ByParameter {
 public:
  Rprop(const std::vector<at::Tensor>& parameters, const Options& options)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"prev", Slot::Shape::kParameter},
                     {"step_size", Slot::Shape::kParameter, options.rate}},
                    options.maximize),
        options_(options) {}

  // As in PyTorch, a parameter's first step begins with the rate of that moment.
  void set_options(const Choice& choice) override {
    options_ = Options(choice);
    set_start(2, options_.rate);
  }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const at::Tensor &before = slots[1], &size = slots[2];
    count_step(slots[0]);
    if (fit_one_pass({parameter, gradient, before, size})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const befores = before.mutable_data_ptr<float>();
      auto* const sizes = size.mutable_data_ptr<float>();
      const auto shrinking = static_cast<float>(options_.shrinking), growing = static_cast<float>(options_.growing),
                 smallest = static_cast<float>(options_.smallest), most = static_cast<float>(options_.largest);
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float sign = gradients[i] * befores[i];
        const float changed = sizes[i] * (sign > 0 ? growing : sign < 0 ? shrinking : sign == 0 ? 1 : sign);
        const float bounded = changed < smallest ? smallest : changed > most ? most : changed;
        const float followed = sign < 0 ? 0 : gradients[i];
        const float direction = followed > 0 ? 1 : followed < 0 ? -1 : followed;
        sizes[i] = bounded;
        befores[i] = followed;
        parameters[i] = __builtin_fmaf(-direction, bounded, parameters[i]);
      });
    }
    const at::Tensor factor = gradient.mul(before).sign_();
    const at::Tensor turned = factor.lt(0);
    const at::Tensor kept = factor.gt(0);
    factor.masked_fill_(factor.eq(0), 1).masked_fill_(kept, options_.growing).masked_fill_(turned, options_.shrinking);
    size.mul_(factor).clamp_(options_.smallest, options_.largest);
    const at::Tensor followed = gradient.masked_fill(turned, 0);
    parameter.addcmul_(followed.sign(), size, -1);
    before.copy_(followed);
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Optimizer> make_rprop(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  return std::make_unique<Rprop>(parameters, Options(choice));
}

}  // namespace incremental
