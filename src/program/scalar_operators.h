// Arithmetic on the numbers of a program, such as sizes of its inputs: what Python's operators and torch.sym_* compute
// in an exported graph. Named `scalar::mul` and so on; the arguments are `a`, `b` and `c`.
#pragma once
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct ScalarOperator {
  size_t arguments;
  // Throws ERR_SHAPE where the numbers are none that the operator takes, such as a divisor of zero.
  c10::IValue (*call)(const std::vector<c10::IValue>& arguments);
};

// Null where there is none of this name.
const ScalarOperator* find_scalar_operator(const std::string& name);

}  // namespace incremental
