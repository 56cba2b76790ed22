// The tensors that a run trains or reads: a state's, bound to a program's names.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "src/optimizers/optimizer.h"
#include "src/program/program.h"
#include "src/state/state_dict.h"

namespace incremental {

// Parameters, then buffers, for reading: the state's own memory where it is as the program wants it, else copies.
// Throws ERR_STATE_MISMATCH where a tensor is missing or has another shape, or where names of one tensor have different
// values, but not where load_state_dict() of PyTorch takes the state all the same (lib/models/recognise.ts has said so
// before, with all names at once).
std::vector<at::Tensor> tensors_of(const Program& program, const StateDict& state, c10::Device device);

// The same for an Executor that evaluates. Parameters require gradients, as they do in Python under no_grad() too:
// at::matmul asks for that (should_fold in aten/src/ATen/native/LinearAlgebra.cpp), and without it computes other
// products, whose last bits differ.
std::vector<at::Tensor> tensors_for_evaluation(const Program& program, const StateDict& state, c10::Device device);

class Weights {
 public:
  // Copies, so that the state stays as it is whatever happens. Throws as above.
  Weights(const Program& program, const StateDict& state, c10::Device device = c10::kCPU);

  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  const std::vector<at::Tensor>& buffers() const { return buffers_; }
  // Parameters, then buffers: what an Executor binds.
  std::vector<at::Tensor> all() const;
  const std::string& name(size_t index) const { return wanted_[index].name; }

  // Of the parameters, as the state has them.
  ParameterShapes shapes() const;

  // The slots of an optimizer, from the state's layout into that of these weights; and a tensor of
  // parameter `index` back.
  std::vector<Slots> to_kept(std::vector<Slots> slots) const;
  // A tensor for each parameter, likewise, on their device. Throws ERR_STATE_MISMATCH where one has another shape.
  std::vector<at::Tensor> to_kept(const std::vector<at::Tensor>& tensors) const;
  at::Tensor to_saved(size_t index, const at::Tensor& tensor) const;

  // A state dict, on the CPU, of the tensors called `names`, in that order. May share memory with these weights: call
  // it last.
  std::shared_ptr<const StateDict> release(const std::vector<std::string>& names) const;

  // The same in memory of its own; with `parameters` instead of its own ones, where there are any.
  std::shared_ptr<const StateDict> copy(const std::vector<std::string>& names,
                                        const std::vector<at::Tensor>& parameters = {}) const;

 private:
  std::shared_ptr<StateDict> dict_of(const std::vector<at::Tensor>& tensors,
                                     const std::vector<std::string>& names) const;

  std::vector<ProgramTensor> wanted_;  // parameters, then buffers
  std::vector<at::Tensor> parameters_, buffers_;
};

}  // namespace incremental
