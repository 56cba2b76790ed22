// The tensors that a run trains or reads: fresh float copies of a state's, bound to a program's names.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"
#include "src/program/program.h"

namespace incremental {

class Weights {
 public:
  // Copies, so that the state stays as it is whatever happens. Throws ERR_STATE_MISMATCH where a tensor is missing or
  // has another shape (lib/match.ts has said so before, with all names at once).
  Weights(const Program& program, const StateDict& state);

  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // Parameters, then buffers: what an Executor binds.
  std::vector<at::Tensor> all() const;
  void require_grad() const;

  // A state dict of the tensors called `names`, in that order. Shares memory with these weights: call it last.
  std::shared_ptr<const StateDict> release(const std::vector<std::string>& names) const;

  // The same in memory of its own.
  std::shared_ptr<const StateDict> copy(const std::vector<std::string>& names) const;

 private:
  std::vector<ProgramTensor> wanted_;  // parameters, then buffers
  std::vector<at::Tensor> parameters_, buffers_;
};

}  // namespace incremental
