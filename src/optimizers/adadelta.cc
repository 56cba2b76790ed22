// Adadelta, operation by operation as torch/optim/adadelta.py does it on the CPU (_single_tensor_adadelta).
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
        rho(choice.number("rho")),
        epsilon(choice.number("eps")),
        weight_decay(choice.number("weightDecay")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double rho;
  double epsilon;
  double weight_decay;
  bool maximize;
};

class Adadelta : public ByParameter {
 public:
  Adadelta(const std::vector<at::Tensor>& parameters, const Options& options, bool is_fast)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"square_avg", Slot::Shape::kParameter},
                     {"acc_delta", Slot::Shape::kParameter}},
                    options.maximize),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const auto& [rate, rho, epsilon, weight_decay, maximize] = options_;
    const at::Tensor &square = slots[1], &changes = slots[2];
    count_step(slots[0]);
    if (is_fast_ && fit_one_pass({parameter, gradient, square, changes})) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const squares = square.mutable_data_ptr<float>();
      auto* const before = changes.mutable_data_ptr<float>();
      const bool decays = options_.weight_decay != 0;
      const auto decay = static_cast<float>(options_.weight_decay);
      const auto kept = static_cast<float>(rho), added = static_cast<float>(1 - rho),
                 added_to = static_cast<float>(epsilon), factor = static_cast<float>(-rate);
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float slope = decays ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
        squares[i] = __builtin_fmaf(added * slope, slope, squares[i] * kept);
        const float change = __builtin_sqrtf(before[i] + added_to) / __builtin_sqrtf(squares[i] + added_to) * slope;
        before[i] = __builtin_fmaf(added * change, change, before[i] * kept);
        parameters[i] = __builtin_fmaf(change, factor, parameters[i]);
      });
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    scale(square, rho).addcmul_(gradient, gradient, 1 - rho);
    const at::Tensor root = square.add(epsilon).sqrt_();
    const at::Tensor change = changes.add(epsilon).sqrt_().div_(root).mul_(gradient);
    scale(changes, rho).addcmul_(change, change, 1 - rho);
    parameter.add_(change, -rate);
  }

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adadelta(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                         bool is_fast) {
  return std::make_unique<Adadelta>(parameters, Options(choice), is_fast);
}

}  // namespace incremental
