// Programs as lib/program/program.ts writes them, into the core's form.
#pragma once
#include <napi.h>

#include "src/program/program.h"

namespace incremental {

// `depth`: of conditions that they are in.
std::vector<Node> to_nodes(const Napi::Array& values, int depth);

// Without its constants, and without a look at its operators: check_operators().
Program to_program(const Napi::Object& value);

}  // namespace incremental
