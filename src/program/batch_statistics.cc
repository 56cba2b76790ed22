#include "src/program/batch_statistics.h"

#include <algorithm>

namespace incremental {
namespace {

constexpr const char* kBatchNorm = "aten::batch_norm";
constexpr const char* kInstanceNorm = "aten::instance_norm";

// As the state dict names it: the path of its weight or of its running mean.
std::string module_of(const Node& node) {
  for (const char* argument : {"running_mean", "weight"}) {
    if (const std::string* name = value_of(node, argument)) return name->substr(0, name->rfind('.'));
  }
  return "";
}

std::string shown(at::IntArrayRef shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += c10::str(i > 0 ? ", " : "", shape[i]);
  return text + "]";
}

}  // namespace

bool is_frozen(const Node& node) {
  return std::any_of(node.arguments.begin(), node.arguments.end(), [](const auto& argument) {
    const bool* training = std::get_if<bool>(&argument.second);
    return (argument.first == "training" || argument.first == "train") && training != nullptr && !*training;
  });
}

bool takes_statistics(const Node& node) {
  return (node.op == kBatchNorm || node.op == kInstanceNorm) && !is_frozen(node);
}

std::string lack_of_values(const Node& node, at::IntArrayRef shape) {
  if (shape.size() < 2) return "";
  const int64_t pixels = c10::multiply_integers(shape.slice(2));
  if (node.op == kBatchNorm && shape[0] * pixels == 1) {
    return "Expected more than 1 value per channel when training, got input size " + shown(shape);
  }
  if (node.op == kInstanceNorm && pixels == 1) {
    return "Expected more than 1 spatial element when training, got input size " + shown(shape);
  }
  return "";
}

std::string lack_of_values(const Program& program, const Shapes& shapes, int64_t samples) {
  for (const Node& node : program.nodes) {
    const bool trains = std::count(node.modes.begin(), node.modes.end(), Mode::kTraining) > 0;
    const std::string* input = trains && takes_statistics(node) ? value_of(node, "input") : nullptr;
    const auto known = input ? shapes.find(*input) : shapes.end();
    if (known == shapes.end() || known->second.empty()) continue;
    std::vector<int64_t> shape = known->second;
    shape.front() *= samples;
    std::string lack = lack_of_values(node, shape);
    if (lack.empty()) continue;
    const std::string module = module_of(node);
    if (!module.empty()) lack.append(" (").append(module).append(")");
    return lack;
  }
  return "";
}

}  // namespace incremental
