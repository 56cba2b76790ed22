#include "src/program/rewrites/blocked.h"

#include <algorithm>
#include <string>
#include <utility>

#include "src/program/own_operators.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

bool taken_by_onednn(const Program& program, const Node& node) {
  const std::string* weight = value_of(node, "weight");
  if (node.op != "aten::conv2d" || !node.overload.empty() || node.modes.size() != 2 || weight == nullptr) return false;
  const ProgramTensor* parameter = find_parameter(program, *weight);
  if (parameter == nullptr) return false;
  const auto& shape = parameter->shape;  // [out, in, height, width]
  return parameter->dtype == at::kFloat && shape.size() == 4 && shape[2] > 1 && shape[3] > 1;
}

Node conversion(const char* op, std::string from, std::string to, std::vector<Mode> modes) {
  return {op, "", {{"self", ValueName{std::move(from)}}}, {std::move(to)}, std::move(modes)};
}

void rename_input(Node& node, const std::string& name) {
  for (auto& [argument, value] : node.arguments) {
    if (argument == "input") value = ValueName{name};
  }
}

}  // namespace

Program with_blocked_convolutions(const Program& program) {
  if (!at::hasMKLDNN()) return program;
  const auto readers = count_readers(program);
  Program result = program;
  result.nodes.clear();
  for (size_t first = 0; first < program.nodes.size();) {
    // A chain ends before the first node that is no convolution, or does not read just the one before it.
    size_t end = first;
    while (end < program.nodes.size() && taken_by_onednn(program, program.nodes[end])) {
      const std::string* input = value_of(program.nodes[end], "input");
      const bool linked = end == first || (input != nullptr && *input == program.nodes[end - 1].outputs.front() &&
                                           readers.at(*input) == 1);
      if (!linked) break;
      ++end;
    }
    if (end - first < 2) {
      end = std::max(end, first + 1);
      result.nodes.insert(result.nodes.end(), program.nodes.begin() + first, program.nodes.begin() + end);
    } else {
      const std::string entry = *value_of(program.nodes[first], "input"), exit = program.nodes[end - 1].outputs.front();
      result.nodes.push_back(
          conversion("aten::to_mkldnn", entry, entry + " (blocked)", {Mode::kTraining, Mode::kEvaluation}));
      for (size_t i = first; i < end; ++i) result.nodes.push_back(program.nodes[i]);
      rename_input(result.nodes[result.nodes.size() - (end - first)], entry + " (blocked)");
      result.nodes.back().outputs = {exit + " (blocked)"};
      result.nodes.push_back(conversion(kToDenseFromBlocked, exit + " (blocked)", exit, {Mode::kTraining}));
      result.nodes.push_back(conversion("aten::to_dense", exit + " (blocked)", exit, {Mode::kEvaluation}));
    }
    first = end;
  }
  return result;
}

}  // namespace incremental
