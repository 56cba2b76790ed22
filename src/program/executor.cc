#include "src/program/executor.h"

#include <iterator>
#include <optional>
#include <utility>

#include "src/core/error.h"
#include "src/program/autocast.h"
#include "src/program/batch_statistics.h"
#include "src/program/condition.h"
#include "src/program/default_generator.h"
#include "src/program/rewrites/constant.h"

namespace incremental {
namespace {

constexpr int64_t kNoRegion = -1;

// A number that is computed where an operator takes a tensor or a float, as Python passes it.
c10::IValue fitted(c10::IValue value, c10::TypeKind kind) {
  if (value.isTensor() || !value.isScalar()) return value;
  if (kind == c10::TypeKind::FloatType && value.isInt()) return static_cast<double>(value.toInt());
  return kind == c10::TypeKind::TensorType ? wrapped_number(value.toScalar()) : value;
}

}  // namespace

c10::IValue Executor::take(const Use& use) {
  return use.last ? std::exchange(values_[use.slot], c10::IValue()) : values_[use.slot];
}

// Their input is the first argument of both operators that there are.
void Executor::check_statistics(const Call& call) const {
  const std::string lack = lack_of_values(*call.checked, stack_.front().toTensor().sizes());
  check(lack.empty(), "ERR_SHAPE", lack, " in ", call.label, " of ", owner_, "'s program");
}

void Executor::check_arguments(const Call& call) const {
  const std::string lack = call.check(stack_);
  check(lack.empty(), "ERR_SHAPE", lack, " in ", call.label, " of ", owner_, "'s program");
}

void Executor::invoke(const Call& call) {
  if (auto op = std::get_if<const OwnOperator*>(&call.op)) {
    std::vector<at::Tensor> arguments;
    for (c10::IValue& value : stack_) arguments.push_back(std::move(value).toTensor());
    stack_.front() = (*op)->call(arguments);
    return;
  }
  if (auto op = std::get_if<const ScalarOperator*>(&call.op)) {
    stack_.front() = (*op)->call(stack_);
    return;
  }
  const auto* op = std::get_if<c10::OperatorHandle>(&call.op);
  if (op != nullptr && !call.surroundings.no_grad && !call.draws_from) return op->callBoxed(stack_);
  std::optional<at::NoGradGuard> no_grad;
  if (call.surroundings.no_grad) no_grad.emplace();
  if (op == nullptr) return choose(*std::get<std::shared_ptr<Condition>>(call.op));
  std::optional<DefaultGeneratorScope> scope;
  if (call.draws_from) scope.emplace(*call.draws_from);
  op->callBoxed(stack_);
}

void Executor::choose(Condition& condition) {
  const c10::IValue& given = stack_.front();
  const bool chosen = given.isTensor() ? given.toTensor().item<bool>() : given.toBool();
  const std::vector<at::Tensor> results = condition(chosen, {stack_.begin() + 1, stack_.end()});
  stack_.assign(results.begin(), results.end());
}

c10::IValue Executor::list_of(const Input& input) {
  auto use = input.uses.begin();
  const auto each = [&](auto list, auto of_value, auto of_constant) -> c10::IValue {
    for (size_t i = 0; i < input.items.size(); ++i) {
      if (input.is_value[i]) {
        list.push_back(of_value(take(*use++)));
      } else {
        list.push_back(of_constant(input.items[i]));
      }
    }
    return list;
  };
  switch (input.made) {
    case Made::kTensors: {
      const auto tensor = [](const c10::IValue& value) { return value.toTensor(); };
      return each(c10::List<at::Tensor>(), tensor, tensor);
    }
    case Made::kOptionalTensors:
      return each(
          c10::List<std::optional<at::Tensor>>(),
          [](const c10::IValue& value) { return std::optional(value.toTensor()); },
          [](const c10::IValue&) { return std::optional<at::Tensor>(); });
    case Made::kFloats: {
      const auto number = [](const c10::IValue& value) {
        return value.isInt() ? static_cast<double>(value.toInt()) : value.toDouble();
      };
      return each(c10::List<double>(), number, number);
    }
    default: {
      const auto number = [](const c10::IValue& value) { return value.toInt(); };
      return each(c10::List<int64_t>(), number, number);
    }
  }
}

void Executor::keep_results(const Call& call) {
  const auto keep = [&](size_t output, c10::IValue value) {
    if (call.outputs[output] != kDropped) values_[call.outputs[output]] = std::move(value);
  };
  if (call.items.empty()) {
    for (size_t i = 0; i < call.outputs.size(); ++i) keep(i, std::move(stack_[i]));
    return;
  }
  size_t output = 0;
  for (size_t result = 0; result < call.items.size(); ++result) {
    if (call.items[result] == Node::kSingle) {
      keep(output++, std::move(stack_[result]));
      continue;
    }
    const std::vector<c10::IValue> items = stack_[result].toListRef().vec();
    check(static_cast<int64_t>(items.size()) == call.items[result], "ERR_SHAPE", "Expected ", call.items[result],
          " values of ", call.label, " of ", owner_, "'s program but it has ", items.size());
    for (const c10::IValue& item : items) keep(output++, item);
  }
}

std::vector<at::Tensor> Executor::run(std::vector<at::Tensor> inputs) {
  return run_values({std::make_move_iterator(inputs.begin()), std::make_move_iterator(inputs.end())});
}

std::vector<at::Tensor> Executor::run_values(std::vector<c10::IValue> inputs) {
  check(inputs.size() == inputs_.size(), "ERR_SHAPE", "Expected ", inputs_.size(), " inputs but received ",
        inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) values_[inputs_[i]] = std::move(inputs[i]);

  std::optional<Autocast> autocast;
  int64_t region = kNoRegion;
  for (const Call& call : calls_) {
    if (call.surroundings.region != region) {
      autocast.reset();
      region = call.surroundings.region;
      if (region != kNoRegion) {
        autocast.emplace(device_.type(), *call.surroundings.autocast, call.surroundings.autocast_dtype);
      }
    }
    stack_.assign(call.arguments.begin(), call.arguments.end());
    for (const Input& input : call.inputs) {
      const bool is_list = input.made != Made::kValue;
      stack_[input.position] = is_list ? list_of(input) : fitted(take(input.uses.front()), input.kind);
    }
    if (call.checked) check_statistics(call);
    if (call.check != nullptr) check_arguments(call);
    try {
      invoke(call);
    } catch (c10::Error& error) {
      error.add_context("in " + call.label + " of " + owner_ + "'s program");
      throw;
    }
    keep_results(call);
    stack_.clear();
  }
  autocast.reset();

  std::vector<at::Tensor> outputs;
  for (Slot slot : outputs_) {
    if (slot == kDropped) {
      outputs.emplace_back();
      continue;
    }
    outputs.push_back(values_[slot].toTensor());
    if (slot >= bound_) values_[slot] = c10::IValue();
  }
  return outputs;
}

}  // namespace incremental
