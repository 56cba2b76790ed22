#include "src/program/rewrites/channels_last.h"

#include <algorithm>
#include <utility>

#include "src/program/own_operators.h"

namespace incremental {
namespace {

ProgramTensor& parameter_named(Program& program, const std::string& name) {
  return *std::find_if(program.parameters.begin(), program.parameters.end(),
                       [&](const ProgramTensor& parameter) { return parameter.name == name; });
}

void keep_convolution_weights(Program& program) {
  for (const Node& node : program.nodes) {
    const std::string* weight = node.op == "aten::conv2d" ? value_of(node, "weight") : nullptr;
    if (weight == nullptr || find_parameter(program, *weight) == nullptr) continue;
    ProgramTensor& parameter = parameter_named(program, *weight);
    if (parameter.shape.size() == 4 && parameter.dtype == at::kFloat) parameter.image_shape = parameter.shape;
  }
}

// Random numbers are drawn one after the other through memory: what they go into has its elements in the order that
// exact mode has, whatever the layout of the images that it is like.
Node in_order(Node node) {
  constexpr auto kContiguous = static_cast<double>(at::MemoryFormat::Contiguous);
  if (node.op == "aten::empty_like" && argument_of(node, "memory_format") == nullptr)
    node.arguments.emplace_back("memory_format", kContiguous);
  return node;
}

// The shape of the images that `node` makes rows of; empty where it does something else.
std::vector<int64_t> flattened_images(const Node& node, const Shapes& shapes) {
  const std::string* input = node.op == "aten::flatten" ? value_of(node, "self") : nullptr;
  auto shape = input ? shapes.find(*input) : shapes.end();
  const bool whole = integer_of(node, "start_dim", 0) == 1 && integer_of(node, "end_dim", -1) == -1;
  if (!whole || shape == shapes.end() || shape->second.size() != 4) return {};
  return shape->second;
}

// `flatten` feeds only `linear`, whose weight nothing else reads.
bool belong_together(const Program& program, const Readers& readers, const Node& flatten, const Node& linear) {
  const std::string *input = value_of(linear, "input"), *weight = value_of(linear, "weight");
  if (linear.op != "aten::linear" || input == nullptr || weight == nullptr || *input != flatten.outputs.front())
    return false;
  return flatten.modes == linear.modes && readers.at(*input) == 1 && readers.at(*weight) == 1 &&
         find_parameter(program, *weight) != nullptr;
}

Node image_linear(const Node& flatten, Node linear) {
  linear.op = kImageLinear;
  for (auto& [argument, value] : linear.arguments) {
    if (argument == "input") value = ValueName{*value_of(flatten, "self")};
  }
  return linear;
}

}  // namespace

Program with_channels_last(const Program& program, const Shapes& shapes) {
  Program result = program;
  keep_convolution_weights(result);
  const Readers readers = count_readers(program);
  result.nodes.clear();
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    const std::vector<int64_t> images = flattened_images(node, shapes);
    const bool joined = !images.empty() && i + 1 < program.nodes.size() &&
                        belong_together(program, readers, node, program.nodes[i + 1]);
    if (!joined) {
      result.nodes.push_back(in_order(node));
      continue;
    }
    const Node& linear = program.nodes[++i];
    ProgramTensor& weight = parameter_named(result, *value_of(linear, "weight"));
    weight.image_shape = {weight.shape[0], images[1], images[2], images[3]};
    result.nodes.push_back(image_linear(node, linear));
  }
  return result;
}

}  // namespace incremental
