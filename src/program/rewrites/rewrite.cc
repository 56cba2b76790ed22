#include "src/program/rewrites/rewrite.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/program/executor.h"
#include "src/program/own_operators.h"

namespace incremental {

const Argument* argument_of(const Node& node, const std::string& name) {
  for (const auto& [argument, value] : node.arguments) {
    if (argument == name) return &value;
  }
  return nullptr;
}

namespace {

// A value that is not a number is refused when its node is made to be called: constant.cc.
int64_t to_integer(double number) {
  constexpr double kMost = 9007199254740992.0;
  return std::abs(number) <= kMost ? static_cast<int64_t>(number) : 0;
}

}  // namespace

const std::string* value_of(const Node& node, const std::string& argument) {
  const Argument* given = argument_of(node, argument);
  const auto* reference = given ? std::get_if<ValueName>(given) : nullptr;
  return reference ? &reference->name : nullptr;
}

std::vector<int64_t> pair_of(const Node& node, const std::string& argument, int64_t otherwise) {
  const Argument* given = argument_of(node, argument);
  const auto* list = given ? std::get_if<std::vector<double>>(given) : nullptr;
  if (list != nullptr && list->size() == 2) return {to_integer(list->front()), to_integer(list->back())};
  const int64_t both =
      list != nullptr && list->size() == 1 ? to_integer(list->front()) : integer_of(node, argument, otherwise);
  return {both, both};
}

int64_t integer_of(const Node& node, const std::string& argument, int64_t otherwise) {
  const Argument* given = argument_of(node, argument);
  const auto* number = given ? std::get_if<double>(given) : nullptr;
  return number ? to_integer(*number) : otherwise;
}

Readers count_readers(const Program& program) {
  Readers readers;
  for (const std::string& name : program.outputs) ++readers[name];
  for (const Node& node : program.nodes) {
    for (const auto& [name, value] : node.arguments) {
      if (auto reference = std::get_if<ValueName>(&value)) ++readers[reference->name];
      if (auto list = std::get_if<std::vector<ValueName>>(&value)) {
        for (const ValueName& item : *list) ++readers[item.name];
      }
      if (auto items = std::get_if<std::vector<Item>>(&value)) {
        for (const Item& item : *items) {
          if (auto reference = std::get_if<ValueName>(&item)) ++readers[reference->name];
        }
      }
    }
  }
  return readers;
}

const ProgramTensor* find_parameter(const Program& program, const std::string& name) {
  auto found = std::find_if(program.parameters.begin(), program.parameters.end(),
                            [&](const ProgramTensor& parameter) { return parameter.name == name; });
  return found == program.parameters.end() ? nullptr : &*found;
}

namespace {

// Names of the tensors that a node returns by themselves, not in lists.
std::vector<std::string> tensors_of(const Node& node) {
  const auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
  if (!node.items.empty() || (!op && find_own_operator(node.op) == nullptr)) return {};
  if (op && node.outputs.size() > op->schema().returns().size()) return {};
  std::vector<std::string> names;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const bool is_tensor = !op || op->schema().returns()[i].type()->kind() == c10::TypeKind::TensorType;
    if (is_tensor && !node.outputs[i].empty()) names.push_back(node.outputs[i]);
  }
  return names;
}

}  // namespace

Shapes shapes_of(const Program& program, const std::vector<at::Tensor>& tensors, const std::vector<InputForm>& inputs) {
  at::NoGradGuard no_grad;
  Program all = program;
  all.outputs.clear();
  for (const Node& node : program.nodes) {
    if (std::count(node.modes.begin(), node.modes.end(), Mode::kEvaluation) == 0) continue;
    const std::vector<std::string> names = tensors_of(node);
    all.outputs.insert(all.outputs.end(), names.begin(), names.end());
  }
  // A program may take no batch of one sample.
  const int64_t samples = std::max<int64_t>(program.batch.least, 1);
  Shapes shapes;
  const auto add = [&](const std::string& name, at::IntArrayRef sizes) {
    std::vector<int64_t> shape = sizes.vec();
    if (samples > 1 && !shape.empty() && shape.front() % samples == 0) shape.front() /= samples;
    shapes.emplace(name, std::move(shape));
  };
  std::vector<at::Tensor> zeros;
  for (size_t i = 0; i < inputs.size() && i < program.inputs.size(); ++i) {
    zeros.push_back(at::zeros(batch_shape(samples, inputs[i].shape), inputs[i].dtype));
    add(program.inputs[i].name, zeros.back().sizes());
  }
  Executor executor(all, tensors, Mode::kEvaluation, at::detail::createCPUGenerator(0));
  const std::vector<at::Tensor> values = executor.run(std::move(zeros));
  for (size_t i = 0; i < values.size(); ++i) add(all.outputs[i], values[i].sizes());
  return shapes;
}

Node node_like(const Node& like, std::string op, std::string overload,
               std::vector<std::pair<std::string, Argument>> arguments, std::string output) {
  return {std::move(op), std::move(overload), std::move(arguments), {std::move(output)}, like.modes};
}

}  // namespace incremental
