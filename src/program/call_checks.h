// Checks of calls whose operators trust their arguments: libtorch 2.13 reads or writes beyond tensors, or divides by
// zero, where they do not fit, and computes for years over views that repeat an element. Those that test/fuzz found.
#pragma once
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

// Returns why the operator cannot be called with these arguments, those of its schema in order; empty: it can.
using CallCheck = std::string (*)(const std::vector<c10::IValue>& arguments);

// Null where the operator checks its arguments itself. `overload`: of its schema.
CallCheck find_call_check(const std::string& op, const std::string& overload);

}  // namespace incremental
