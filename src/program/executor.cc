#include "src/program/executor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "src/core/error.h"
#include "src/program/autocast.h"
#include "src/program/batch_statistics.h"
#include "src/program/default_generator.h"
#include "src/program/rewrites/constant.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

constexpr const char* kBadProgram = "ERR_INVALID_OPTION";

// Arguments that the run decides: where random numbers come from, and whether it trains.
std::optional<c10::IValue> from_run(const c10::Argument& schema, Mode mode, const at::Generator& generator) {
  if (schema.type()->kind() == c10::TypeKind::BoolType && (schema.name() == "train" || schema.name() == "training")) {
    return c10::IValue(mode == Mode::kTraining);
  }
  auto optional = schema.type()->cast<c10::OptionalType>();
  const c10::TypePtr type = optional ? optional->getElementType() : schema.type();
  if (type->kind() == c10::TypeKind::GeneratorType) return c10::IValue(generator);
  return std::nullopt;
}

}  // namespace

Executor::Executor(const Program& program, std::vector<at::Tensor> tensors, Mode mode, const at::Generator& generator,
                   bool checks_statistics)
    : owner_(program.owner) {
  check(tensors.size() == program.parameters.size() + program.buffers.size(), kBadProgram, "Expected ",
        program.parameters.size() + program.buffers.size(), " tensors for the program but received ", tensors.size());
  for (const ProgramTensor& parameter : program.parameters) define(parameter.name);
  for (const ProgramTensor& buffer : program.buffers) define(buffer.name);
  bound_ = tensors.size();
  if (!tensors.empty()) device_ = tensors.front().device();
  std::move(tensors.begin(), tensors.end(), values_.begin());
  for (const ProgramInput& input : program.inputs) inputs_.push_back(define(input.name));
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (std::count(node.modes.begin(), node.modes.end(), mode) == 0) continue;
    add_call(node, i, mode, generator);
    if (checks_statistics && mode == Mode::kTraining && takes_statistics(node)) calls_.back().checked = node;
  }
  for (const std::string& name : program.outputs) outputs_.push_back(slot_of(name, "the program's outputs"));
  mark_last_uses();
}

void Executor::add_call(const Node& node, size_t index, Mode mode, const at::Generator& generator) {
  const OwnOperator* own = find_own_operator(node.op);
  const ScalarOperator* scalar = find_scalar_operator(node.op);
  const std::string name = own != nullptr ? own->stands_for : node.op;
  const std::string layer = layer_of(node);
  const std::string place = layer.empty() ? c10::str("node ", index) : c10::str("the layer \"", layer, "\"");
  std::string label = c10::str(place, " (", name, node.overload.empty() ? "" : ".", node.overload, ")");
  if (own != nullptr) return add_own(*own, node, std::move(label));
  if (scalar != nullptr) return add_scalar(*scalar, node, std::move(label));
  auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
  check(op.has_value(), kBadProgram, "Unknown operator in ", label);
  Call call{*op, {}, {}, {}, std::move(label)};

  size_t used = 0;
  for (const c10::Argument& schema : op->schema().arguments()) {
    const size_t position = call.arguments.size();
    auto given = std::find_if(node.arguments.begin(), node.arguments.end(),
                              [&](const auto& argument) { return argument.first == schema.name(); });
    auto decided = from_run(schema, mode, generator);
    used += given != node.arguments.end();
    // Whether it trains, a node may say itself.
    if (decided && !(decided->isBool() && given != node.arguments.end())) {
      call.arguments.push_back(std::move(*decided));
    } else if (given == node.arguments.end()) {
      check(schema.default_value().has_value(), kBadProgram, "Missing argument \"", schema.name(), "\" of ",
            call.label);
      call.arguments.push_back(*schema.default_value());
    } else if (auto value = std::get_if<ValueName>(&given->second)) {
      call.inputs.push_back({position, {{slot_of(value->name, call.label), false}}});
      call.arguments.emplace_back();
    } else if (auto list = std::get_if<std::vector<ValueName>>(&given->second)) {
      std::vector<Item> items(list->begin(), list->end());
      call.inputs.push_back(mixed_list(items, position, schema, call.label));
      call.arguments.emplace_back();
    } else if (auto items = std::get_if<std::vector<Item>>(&given->second)) {
      call.inputs.push_back(mixed_list(*items, position, schema, call.label));
      call.arguments.emplace_back();
    } else if (std::holds_alternative<RunTrains>(given->second)) {
      call.arguments.emplace_back(mode == Mode::kTraining);
    } else if (std::holds_alternative<RunDevice>(given->second)) {
      call.arguments.emplace_back(device_);
    } else {
      call.arguments.push_back(constant(given->second, schema, call.label));
    }
  }
  check(used == node.arguments.size(), kBadProgram, "Unknown or repeated argument in ", call.label,
        "; the operator takes ", toString(op->schema()));
  const size_t results = node.items.empty() ? node.outputs.size() : node.items.size();
  check(results <= op->schema().returns().size(), kBadProgram, "Too many outputs in ", call.label);
  call.surroundings = node.surroundings;
  if (draws_by_itself(node.op)) call.draws_from = generator;
  define_outputs(call, node);
  calls_.push_back(std::move(call));
}

void Executor::define_outputs(Call& call, const Node& node) {
  call.items = node.items;
  for (const std::string& output : node.outputs) {
    if (!output.empty())
      call.outputs.push_back(define(output));
    else
      call.outputs.push_back(kDropped);
  }
}

Executor::Input Executor::mixed_list(const std::vector<Item>& items, size_t position, const c10::Argument& schema,
                                     const std::string& label) const {
  const auto mismatch = [&] {
    return Error{kBadProgram,
                 c10::str("Expected ", schema.type()->str(), " for argument \"", schema.name(), "\" of ", label)};
  };
  auto optional = schema.type()->cast<c10::OptionalType>();
  auto list = (optional ? optional->getElementType() : schema.type())->cast<c10::ListType>();
  if (!list) throw mismatch();
  const c10::TypePtr element = list->getElementType();
  Input input{position, {}};
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      input.made = Made::kTensors;
      break;
    case c10::TypeKind::OptionalType:
      input.made = Made::kOptionalTensors;
      break;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      input.made = Made::kIntegers;
      break;
    case c10::TypeKind::FloatType:
      input.made = Made::kFloats;
      break;
    default:
      throw mismatch();
  }
  const bool takes_numbers = input.made == Made::kIntegers || input.made == Made::kFloats;
  for (const Item& item : items) {
    const auto* name = std::get_if<ValueName>(&item);
    input.is_value.push_back(name != nullptr);
    input.items.emplace_back();
    if (name != nullptr) {
      input.uses.push_back({slot_of(name->name, label), false});
    } else if (!takes_numbers) {
      if (input.made == Made::kTensors || !std::holds_alternative<std::monostate>(item)) throw mismatch();
    } else {
      Argument number = std::visit([](const auto& one) { return Argument(one); }, item);
      c10::Argument single(schema.name(), element);
      input.items.back() = constant(number, single, label);
    }
  }
  return input;
}

void Executor::add_scalar(const ScalarOperator& op, const Node& node, std::string label) {
  Call call{&op, std::vector<c10::IValue>(op.arguments), {}, {}, std::move(label)};
  constexpr std::array<const char*, 2> kNames = {"a", "b"};
  for (size_t i = 0; i < op.arguments; ++i) {
    const Argument* given = argument_of(node, kNames.at(i));
    check(given != nullptr, kBadProgram, "Missing argument \"", kNames.at(i), "\" of ", call.label);
    if (const auto* value = std::get_if<ValueName>(given)) {
      call.inputs.push_back({i, {{slot_of(value->name, call.label), false}}});
    } else {
      call.arguments[i] = constant(*given, c10::Argument(kNames.at(i), c10::NumberType::get()), call.label);
    }
  }
  check(node.arguments.size() == op.arguments && node.outputs.size() == 1, kBadProgram,
        "Unknown argument or too many outputs in ", call.label);
  define_outputs(call, node);
  calls_.push_back(std::move(call));
}

void Executor::add_own(const OwnOperator& op, const Node& node, std::string label) {
  Call call{&op, std::vector<c10::IValue>(op.arguments.size(), at::Tensor()), {}, {}, std::move(label)};
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    if (const std::string* value = value_of(node, op.arguments[i])) {
      call.inputs.push_back({i, {{slot_of(*value, call.label), false}}});
    }
  }
  call.outputs.push_back(define(node.outputs.front()));
  calls_.push_back(std::move(call));
}

// Backwards: the first time a slot is met is its last use. Outputs of the program are used after every call.
void Executor::mark_last_uses() {
  std::vector<bool> seen(values_.size(), false);
  std::fill_n(seen.begin(), bound_, true);
  for (Slot slot : outputs_) seen[slot] = true;
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    for (auto input = call->inputs.rbegin(); input != call->inputs.rend(); ++input) {
      for (auto use = input->uses.rbegin(); use != input->uses.rend(); ++use) {
        use->last = !seen[use->slot];
        seen[use->slot] = true;
      }
    }
  }
}

std::string Executor::layer_of(const Node& node) const {
  for (const auto& [argument, given] : node.arguments) {
    const auto* value = std::get_if<ValueName>(&given);
    const auto slot = value != nullptr ? slots_.find(value->name) : slots_.end();
    if (slot == slots_.end() || slot->second >= bound_) continue;
    const size_t dot = value->name.rfind('.');
    if (dot != std::string::npos) return value->name.substr(0, dot);
  }
  return "";
}

Executor::Slot Executor::slot_of(const std::string& name, const std::string& label) const {
  auto found = slots_.find(name);
  check(found != slots_.end(), kBadProgram, "No value named \"", name, "\" before ", label);
  return found->second;
}

Executor::Slot Executor::define(const std::string& name) {
  const Slot slot = values_.size();
  check(slots_.emplace(name, slot).second, kBadProgram, "Two values of the program are named \"", name, "\"");
  values_.emplace_back();
  return slot;
}

c10::IValue Executor::take(const Use& use) {
  return use.last ? std::exchange(values_[use.slot], c10::IValue()) : values_[use.slot];
}

// Their input is the first argument of both operators that there are.
void Executor::check_statistics(const Call& call) const {
  const std::string lack = lack_of_values(*call.checked, stack_.front().toTensor().sizes());
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
  const Surroundings& around = call.surroundings;
  if (!around.no_grad && !around.autocast && !call.draws_from) {
    return std::get<c10::OperatorHandle>(call.op).callBoxed(stack_);
  }
  invoke_inside(call);
}

void Executor::invoke_inside(const Call& call) {
  const Surroundings& around = call.surroundings;
  std::optional<at::NoGradGuard> no_grad;
  if (around.no_grad) no_grad.emplace();
  std::optional<Autocast> autocast;
  if (around.autocast) autocast.emplace(device_.type(), *around.autocast, around.autocast_dtype);
  std::optional<DefaultGeneratorScope> scope;
  if (call.draws_from) scope.emplace(*call.draws_from);
  std::get<c10::OperatorHandle>(call.op).callBoxed(stack_);
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
  check(inputs.size() == inputs_.size(), "ERR_SHAPE", "Expected ", inputs_.size(), " inputs but received ",
        inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) values_[inputs_[i]] = std::move(inputs[i]);

  for (const Call& call : calls_) {
    stack_.assign(call.arguments.begin(), call.arguments.end());
    for (const Input& input : call.inputs) {
      const bool is_list = input.made != Made::kValue;
      stack_[input.position] = is_list ? list_of(input) : take(input.uses.front());
    }
    if (call.checked) check_statistics(call);
    try {
      invoke(call);
    } catch (c10::Error& error) {
      error.add_context("in " + call.label + " of " + owner_ + "'s program");
      throw;
    }
    keep_results(call);
    stack_.clear();
  }

  std::vector<at::Tensor> outputs;
  for (Slot slot : outputs_) {
    outputs.push_back(values_[slot].toTensor());
    if (slot >= bound_) values_[slot] = c10::IValue();
  }
  return outputs;
}

}  // namespace incremental
