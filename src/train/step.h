// One step of training: forward pass, loss, backward pass, limit of the gradient, optimizer. Serves training, training
// on a device and the online learner.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "src/batches/batches.h"
#include "src/losses/loss.h"
#include "src/optimizers/parameter_groups.h"
#include "src/program/forward.h"

namespace incremental {

// The largest gradients that an optimizer gets; 0: any.
struct GradientLimits {
  double norm = 0;   // of all of them, as torch.nn.utils.clip_grad_norm_
  double value = 0;  // of each number, as torch.nn.utils.clip_grad_value_, after that
};

// Between loss and backward pass. False: the step ends here, without gradients.
using BeforeBackward = std::function<bool(const at::Tensor& loss)>;

// Adds gradients of the loss of a batch to the parameters of `forward` that require them. Returns the loss. Throws
// where the outputs are not what the loss takes, and where no such parameter has a part in it.
//
// `share`: what the loss is divided by, in a step of so many batches.
at::Tensor add_gradients(Forward& forward, Loss& loss, const Batch& batch, const BeforeBackward& before_backward = {},
                         int64_t share = 1);

class Step {
 public:
  // `forward` is in training mode and over `parameters`, as is the optimizer.
  Step(Forward forward, std::unique_ptr<Loss> loss, ParameterGroups optimizer, std::vector<at::Tensor> parameters);

  // The whole step. Returns the loss.
  at::Tensor run(const Batch& batch, const BeforeBackward& before_backward = {});

  // Its parts, for callers that judge what each leaves.
  at::Tensor gradients(const Batch& batch, const BeforeBackward& before_backward, int64_t share = 1);
  // Scales the gradients to a norm of at most `limit`, 0: any. Returns the norm they had.
  double limit_gradients(double limit) const;
  void limit_gradients(const GradientLimits& limits) const;
  ParameterGroups& optimizer() { return optimizer_; }
  const ParameterGroups& optimizer() const { return optimizer_; }
  const Loss& loss() const { return *loss_; }

 private:
  Forward forward_;
  std::unique_ptr<Loss> loss_;
  ParameterGroups optimizer_;
  std::vector<at::Tensor> parameters_;
};

}  // namespace incremental
