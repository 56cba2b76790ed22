// The operators that a model's program may name. A program is data that people pass on, and the dispatcher knows
// operators that write files, show memory nobody wrote, or crash on bad indices.
#pragma once
#include <string>
#include <vector>

#include "src/program/program.h"

namespace incremental {

// Throws ERR_INVALID_OPTION, naming the node, where the program names an operator that is neither in the list of
// allowed_operators.cc nor in `added`, which holds names such as aten::rand; where a listed one writes into an argument
// made for results (its `out` overloads), or is given a dtype, layout, device or memory format; and where any operator
// would change a constant in place.
void check_operators(const Program& program, const std::vector<std::string>& added);

// True where a node that runs in this mode changes a tensor that it is given.
bool writes_in_place(const Program& program, Mode mode);

// True where a node that runs in this mode draws random numbers.
bool draws(const Program& program, Mode mode);

}  // namespace incremental
