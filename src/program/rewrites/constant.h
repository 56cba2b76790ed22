// Turns a constant of a Program into the IValue that an operator's schema asks for.
#pragma once
#include <string>

#include "src/core/libtorch.h"
#include "src/program/program.h"

namespace incremental {

// Throws ERR_INVALID_OPTION, naming `label`, where the value does not fit the schema's type.
c10::IValue constant(const Argument& value, const c10::Argument& schema, const std::string& label);

// As Python passes a number where an operator takes a tensor: without dimensions, and without part in type promotion.
at::Tensor wrapped_number(const at::Scalar& number);

}  // namespace incremental
