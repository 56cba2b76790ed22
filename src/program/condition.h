// torch.cond: one of two lists of calls runs, chosen by a value. A node whose op is kCondition has the argument
// `condition`, a tensor or a bool, and `operands`, the inputs of its two branches.
#pragma once
#include <vector>

#include "src/core/libtorch.h"
#include "src/program/executor.h"
#include "src/program/program.h"

namespace incremental {

constexpr const char* kCondition = "control::condition";

class Condition {
 public:
  // `node`: with two branches, for true and for false. The rest is as an Executor's.
  Condition(const Node& node, c10::Device device, Mode mode, const at::Generator& generator, bool checks_statistics);

  // As PyTorch's autograd of torch.cond: operands of the branch that did not run get gradients of zero, which an
  // optimizer's decay and momentum see.
  std::vector<at::Tensor> operator()(bool condition, const std::vector<c10::IValue>& operands);

 private:
  Executor when_true_, when_false_;
};

}  // namespace incremental
