// Base of the optimizers that treat each parameter by itself, one after the other, as torch.optim's default on the CPU
// does (its _single_tensor functions).
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "src/optimizers/optimizer.h"

namespace incremental {

class ByParameter : public Optimizer {
 public:
  // How a slot is before the first step of its parameter.
  struct Slot {
    enum class Shape {
      kParameter,  // of the parameter's shape and dtype, filled with `start`
      kNumber,     // float32, without dimensions
      kRows,       // of the parameter's dtype, and of its shape but for the last axis, which is 1; missing of a vector
      kColumns,    // the same for the last axis but one
      kVector,     // as kParameter; missing where the parameter has several axes
      kNone        // missing: update() makes it
    };

    const char* name;
    Shape shape;
    double start = 0;
  };

  void step() override;
  std::vector<Slots> state() const override;
  void restore(const std::vector<Slots>& state) override;

 protected:
  // `slots`: in the order of PyTorch's state_dict(). `shapes`: as make_optimizer() takes them, for slots that follow
  // from them.
  ByParameter(std::vector<at::Tensor> parameters, std::vector<Slot> slots, bool maximize, ParameterShapes shapes = {});

  // How the slot at this position of the constructor's begins from now on.
  void set_start(size_t slot, double start) { slots_[slot].start = start; }

  // Updates one parameter and its slots, which are in the order of the constructor. `gradient` is not written to.
  virtual void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const = 0;

 private:
  // Nothing where the parameter has no such slot.
  std::optional<std::vector<int64_t>> shape_of(const Slot& slot, size_t parameter) const;
  at::Tensor started(const Slot& slot, size_t parameter) const;

  std::vector<at::Tensor> parameters_;
  ParameterShapes shapes_;  // or empty
  std::vector<Slot> slots_;
  std::vector<std::vector<at::Tensor>> state_;  // for each parameter; empty before its first step
  bool maximize_;
};

// The gradient with the L2 penalty of the weights, weight_decay x parameter; or, decoupled, lets the weights themselves
// decay by `rate` of that and returns the gradient as it is.
at::Tensor decayed(const at::Tensor& parameter, const at::Tensor& gradient, double rate, double weight_decay,
                   bool decoupled);

// As Tensor.mul_(number) of Python. That of C++ rounds the number itself, where the tensor is bfloat16.
at::Tensor scale(const at::Tensor& tensor, double factor);

// Adds 1 to the number of a parameter's steps. Returns it.
double count_step(at::Tensor& steps);

}  // namespace incremental
