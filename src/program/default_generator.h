// Operators that draw but take no generator (dropout, rand, an LSTM's dropout …) draw from the process's one. While
// this lives, that one stands where the run's stands, and the run's goes on from where it ends; then it is as it was.
// One at a time in a process: a run that draws so waits for another's operator.
#pragma once
#include <mutex>

#include "src/core/libtorch.h"

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

// True where an operator draws from the process's generator, which its schema does not say.
bool draws_by_itself(const std::string& op);

}  // namespace incremental
