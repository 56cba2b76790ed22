#include "src/program/rewrites/exact_linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "src/kernels/agreement.h"
#include "src/kernels/skinny_linear.h"
#include "src/program/own_operators.h"
#include "src/program/rewrites/blocked_memory.h"
#include "src/program/rewrites/rewrite.h"
#include "src/program/rewrites/to_dense.h"

namespace incremental {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// gradient × weight [M, K], into `blocked`, whose samples have K elements.
void write_input_gradient(const at::Tensor& gradient, const at::Tensor& weight, const at::Tensor& blocked,
                          int64_t block) {
  std::vector<int64_t> shape = blocked.sizes().vec();
  shape[0] = weight.size(0);
  const at::Tensor columns = at::empty_like(weight);
  copy_into_blocked(weight.view(shape), columns.mutable_data_ptr<float>(), block);
  skinny_input_gradient(gradient, columns.const_data_ptr<float>(), weight.size(1), data_of(blocked));
}

at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight, bool agrees) {
  if (!agrees) return gradient.mm(weight);
  at::Tensor result = at::empty({gradient.size(0), weight.size(1)}, at::kFloat);
  skinny_input_gradient(gradient, weight.const_data_ptr<float>(), weight.size(1), result.mutable_data_ptr<float>());
  return result;
}

struct ExactLinear : torch::autograd::Function<ExactLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor rows = input.is_mkldnn() ? input.to_dense().flatten(1) : input;
    context->save_for_backward(
        {weight.requires_grad() ? rows : at::Tensor(), input.requires_grad() ? weight : at::Tensor()});
    if (input.is_mkldnn()) context->saved_data["blocked"] = input.detach();
    context->saved_data["has_bias"] = bias.has_value();
    return at::linear(rows, weight, bias);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gradient = gradients[0], &rows = saved[0], &weight = saved[1];
    const int64_t inputs = rows.defined() ? rows.size(1) : weight.size(1);
    const Agreement agreement =
        gradient.is_contiguous() ? agreement_on(gradient.size(0), gradient.size(1), inputs) : Agreement{};
    variable_list result(3);
    if (context->needs_input_grad(1)) {
      result[1] = agreement.fused == Agreement::kNone ? gradient.t().mm(rows)
                                                      : skinny_weight_gradient(gradient, rows, agreement.fused);
    }
    if (context->needs_input_grad(0)) result[0] = gradient_for_input(context, gradient, weight, agreement);
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) result[2] = gradient.sum(0);
    return result;
  }

 private:
  static at::Tensor gradient_for_input(AutogradContext* context, const at::Tensor& gradient, const at::Tensor& weight,
                                       const Agreement& agreement) {
    const auto found = context->saved_data.find("blocked");
    if (found == context->saved_data.end()) return input_gradient(gradient, weight, agreement.input_gradient);
    at::Tensor blocked = found->second.toTensor();
    const int64_t block = block_of(blocked);
    if (agreement.input_gradient && block > 0) {
      write_input_gradient(gradient, weight, blocked, block);
      return blocked;
    }
    return to_blocked(input_gradient(gradient, weight, agreement.input_gradient).view(blocked.sizes()), blocked);
  }
};

bool wins(const at::Tensor& input, const at::Tensor& weight) {
  const bool rows = input.dim() == 2 && skinny_linear_fits(input, weight) && input.is_contiguous();
  const bool blocked = input.is_mkldnn() && input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  return (rows || blocked) && weight.is_contiguous() &&
         skinny_linear_wins(input.size(0), weight.size(0), weight.size(1));
}

// The blocked images whose rows `linear` reads, if nothing else does; null otherwise. `between`: the values on the way.
const std::string* blocked_input(const Program& program, const Readers& readers, const Node& linear,
                                 std::set<std::string>& between) {
  const auto maker = [&](const std::string* value, const std::string& op) -> const Node* {
    if (value == nullptr || readers.at(*value) != 1) return nullptr;
    auto found = std::find_if(program.nodes.begin(), program.nodes.end(),
                              [&](const Node& node) { return node.op == op && node.outputs.front() == *value; });
    return found == program.nodes.end() ? nullptr : &*found;
  };
  const Node* flatten = maker(value_of(linear, "input"), "aten::flatten");
  if (flatten == nullptr || integer_of(*flatten, "start_dim", 0) != 1 || integer_of(*flatten, "end_dim", -1) != -1) {
    return nullptr;
  }
  const Node* to_dense = maker(value_of(*flatten, "self"), kToDenseFromBlocked);
  if (to_dense == nullptr) return nullptr;
  between.insert({flatten->outputs.front(), to_dense->outputs.front()});
  return value_of(*to_dense, "self");
}

bool runs_in(const Node& node, Mode mode) {
  return std::find(node.modes.begin(), node.modes.end(), mode) != node.modes.end();
}

}  // namespace

at::Tensor exact_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  const std::optional<at::Tensor> given = bias.defined() ? std::optional(bias) : std::nullopt;
  if (at::GradMode::is_enabled() && wins(input, weight)) return ExactLinear::apply(input, weight, given);
  return at::linear(input.is_mkldnn() ? to_dense_from_blocked(input).flatten(1) : input, weight, given);
}

Program with_exact_linear(const Program& program) {
  const Readers readers = count_readers(program);
  std::set<std::string> unread;
  Program result = program;
  result.nodes.clear();
  for (const Node& node : program.nodes) {
    if (node.op != "aten::linear" || !runs_in(node, Mode::kTraining)) {
      result.nodes.push_back(node);
      continue;
    }
    Node linear = node;
    linear.op = kExactLinear;
    linear.modes = {Mode::kTraining};
    if (const std::string* blocked = blocked_input(program, readers, node, unread)) {
      for (auto& [argument, value] : linear.arguments) {
        if (argument == "input") value = ValueName{*blocked};
      }
    }
    result.nodes.push_back(std::move(linear));
    if (!runs_in(node, Mode::kEvaluation)) continue;
    result.nodes.push_back(node);
    result.nodes.back().modes = {Mode::kEvaluation};
  }
  for (Node& node : result.nodes) {
    if (unread.count(node.outputs.front()) > 0) std::erase(node.modes, Mode::kTraining);
  }
  std::erase_if(result.nodes, [](const Node& node) { return node.modes.empty(); });
  return result;
}

}  // namespace incremental
