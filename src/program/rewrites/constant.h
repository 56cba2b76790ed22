// Turns a constant of a Program into the IValue that an operator's schema asks for.
#pragma once
#include <string>

#include "src/core/libtorch.h"
#include "src/program/program.h"

namespace incremental {

// Throws ERR_INVALID_OPTION, naming `label`, where the value does not fit the schema's type.
c10::IValue constant(const Argument& value, const c10::Argument& schema, const std::string& label);

}  // namespace incremental
