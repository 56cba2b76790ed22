// Operators that draw but take no generator (dropout, rand, an LSTM's dropout …) draw from the process's one. While
// this lives, that one has the state of the run's generator, which then gets the state that the operator leaves; the
// process's own state is put back. One at a time in a process: other runs wait while an operator draws so.
#pragma once
#include <mutex>

#include "src/core/libtorch.h"
#include "src/program/program.h"

namespace incremental {

class DefaultGeneratorScope {
 public:
  explicit DefaultGeneratorScope(const at::Generator& generator);
  ~DefaultGeneratorScope();
  DefaultGeneratorScope(const DefaultGeneratorScope&) = delete;
  DefaultGeneratorScope& operator=(const DefaultGeneratorScope&) = delete;

 private:
  std::lock_guard<std::mutex> turn_;
  at::Generator run_, process_;
  at::Tensor before_;
};

// True where a node draws from the process's generator in this mode, which its operator's schema does not say.
bool draws_by_itself(const Node& node, Mode mode);

}  // namespace incremental
