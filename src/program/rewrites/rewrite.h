// Questions that rewrites of a Program ask: the readers of a value, the value of an argument, the shape of a value.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "src/core/sample_form.h"
#include "src/program/program.h"

namespace incremental {

// The argument of `node` by that name; null where it has none.
const Argument* argument_of(const Node& node, const std::string& name);

// The value that `node` is given for `argument`; null where the node has no such argument or it is a constant.
const std::string* value_of(const Node& node, const std::string& argument);

// The integers that `node` is given for `argument`, one of them standing for both axes; `otherwise` where it is not
// given.
std::vector<int64_t> pair_of(const Node& node, const std::string& argument, int64_t otherwise);
int64_t integer_of(const Node& node, const std::string& argument, int64_t otherwise);

// How often each value is read, counting the program's outputs.
using Readers = std::unordered_map<std::string, int>;
Readers count_readers(const Program& program);

// The parameter of that name, or null.
const ProgramTensor* find_parameter(const Program& program, const std::string& name);

// Shapes of all values for a single sample of `inputs`, the axis of samples among them. Values of the training mode
// alone are missing.
using Shapes = std::unordered_map<std::string, std::vector<int64_t>>;
Shapes shapes_of(const Program& program, const std::vector<at::Tensor>& tensors, const std::vector<InputForm>& inputs);

// A node that runs in the same modes as `like`.
Node node_like(const Node& like, std::string op, std::string overload,
               std::vector<std::pair<std::string, Argument>> arguments, std::string output);

}  // namespace incremental
