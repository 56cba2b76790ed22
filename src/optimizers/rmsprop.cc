// RMSprop, operation by operation as torch/optim/rmsprop.py does it on the CPU (_single_tensor_rmsprop).
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
        alpha(choice.number("alpha")),
        epsilon(choice.number("eps")),
        weight_decay(choice.number("weightDecay")),
        momentum(choice.number("momentum")),
        centered(choice.boolean("centered")),
        maximize(choice.boolean("maximize")) {}

  double rate;
  double alpha;
  double epsilon;
  double weight_decay;
  double momentum;
  bool centered;
  bool maximize;
};

class Rmsprop : public ByParameter {
 public:
  Rmsprop(const std::vector<at::Tensor>& parameters, const Options& options, bool is_fast)
      : ByParameter(parameters,
                    {{"step", Slot::Shape::kNumber},
                     {"square_avg", Slot::Shape::kParameter},
                     {"momentum_buffer", options.momentum > 0 ? Slot::Shape::kParameter : Slot::Shape::kNone},
                     {"grad_avg", options.centered ? Slot::Shape::kParameter : Slot::Shape::kNone}},
                    options.maximize),
        options_(options),
        is_fast_(is_fast) {}

  void set_options(const Choice& choice) override { options_ = Options(choice); }

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override {
    const auto& [rate, alpha, epsilon, weight_decay, momentum, centered, maximize] = options_;
    const at::Tensor &square = slots[1], &buffer = slots[2], &average = slots[3];
    count_step(slots[0]);
    const bool one_pass = fit_one_pass({parameter, gradient, square}) &&
                          (!centered || fit_one_pass({parameter, average})) &&
                          (momentum <= 0 || fit_one_pass({parameter, buffer}));
    if (is_fast_ && one_pass) {
      auto* const parameters = parameter.mutable_data_ptr<float>();
      const auto* const gradients = gradient.const_data_ptr<float>();
      auto* const squares = square.mutable_data_ptr<float>();
      auto* const averages = centered ? average.mutable_data_ptr<float>() : nullptr;
      auto* const buffers = momentum > 0 ? buffer.mutable_data_ptr<float>() : nullptr;
      const bool decays = options_.weight_decay != 0;
      const auto decay = static_cast<float>(options_.weight_decay);
      const Lerp lerp(1 - alpha);
      const auto kept = static_cast<float>(alpha), added = static_cast<float>(1 - alpha),
                 added_to = static_cast<float>(epsilon), share = static_cast<float>(momentum),
                 factor = static_cast<float>(-rate);
      return over_elements(parameter.numel(), [=](int64_t i) INLINED {
        const float slope = decays ? __builtin_fmaf(parameters[i], decay, gradients[i]) : gradients[i];
        squares[i] = __builtin_fmaf(added * slope, slope, squares[i] * kept);
        float variance = squares[i];
        if (averages) {
          averages[i] = lerp(averages[i], slope);
          variance = __builtin_fmaf(-averages[i], averages[i], variance);
        }
        const float root = __builtin_sqrtf(variance) + added_to;
        if (buffers) {
          buffers[i] = buffers[i] * share + slope / root;
          parameters[i] = __builtin_fmaf(buffers[i], factor, parameters[i]);
        } else {
          parameters[i] += factor * slope / root;
        }
      });
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    scale(square, alpha).addcmul_(gradient, gradient, 1 - alpha);
    at::Tensor root;
    if (centered) {
      average.lerp_(gradient, 1 - alpha);
      root = square.addcmul(average, average, -1).sqrt_();
    } else {
      root = square.sqrt();
    }
    root.add_(epsilon);
    if (momentum > 0) {
      scale(buffer, momentum).addcdiv_(gradient, root);
      parameter.add_(buffer, -rate);
    } else {
      parameter.addcdiv_(gradient, root, -rate);
    }
  }

  Options options_;
  bool is_fast_;
};

}  // namespace

std::unique_ptr<Optimizer> make_rmsprop(const Choice& choice, const std::vector<at::Tensor>& parameters, bool is_fast) {
  return std::make_unique<Rmsprop>(parameters, Options(choice), is_fast);
}

}  // namespace incremental
