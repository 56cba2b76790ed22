#include "src/program/condition.h"

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Returns the first `results` tensors; the others get gradients of zero.
struct ZeroGradients : torch::autograd::Function<ZeroGradients> {
  static variable_list forward(AutogradContext* context, int64_t results, at::TensorList tensors) {
    context->saved_data["results"] = results;
    const at::TensorList operands = tensors.slice(static_cast<size_t>(results));
    context->save_for_backward(variable_list(operands.begin(), operands.end()));
    variable_list outputs;
    for (int64_t i = 0; i < results; ++i) outputs.push_back(tensors[i].view_as(tensors[i]));
    return outputs;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list result(1);  // none for the number of results
    result.insert(result.end(), gradients.begin(), gradients.end());
    for (const at::Tensor& operand : context->get_saved_variables()) result.push_back(at::zeros_like(operand));
    return result;
  }
};

Program branch_program(const Node& node, size_t index) {
  check(node.branches.size() == 2, "ERR_INVALID_OPTION", "Expected two branches of ", kCondition);
  const Branch& branch = node.branches[index];
  Program program{{}, {}, {}, branch.nodes, branch.outputs};
  for (const std::string& input : branch.inputs) program.inputs.push_back({input, at::kFloat});
  return program;
}

}  // namespace

Condition::Condition(const Node& node, c10::Device device, Mode mode, const at::Generator& generator,
                     bool checks_statistics)
    : when_true_(branch_program(node, 0), {}, mode, generator, checks_statistics, device),
      when_false_(branch_program(node, 1), {}, mode, generator, checks_statistics, device) {}

std::vector<at::Tensor> Condition::operator()(bool condition, const std::vector<c10::IValue>& operands) {
  std::vector<at::Tensor> results = (condition ? when_true_ : when_false_).run_values(operands);
  if (!at::GradMode::is_enabled()) return results;
  const auto count = static_cast<int64_t>(results.size());
  for (const c10::IValue& operand : operands) {
    if (operand.isTensor() && operand.toTensor().requires_grad()) results.push_back(operand.toTensor());
  }
  if (static_cast<int64_t>(results.size()) == count) return results;
  return ZeroGradients::apply(count, at::TensorList(results));
}

}  // namespace incremental
