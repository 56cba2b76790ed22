// Executor's constructor: finds operators, constant arguments and last uses, once.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "src/core/error.h"
#include "src/program/batch_statistics.h"
#include "src/program/condition.h"
#include "src/program/default_generator.h"
#include "src/program/executor.h"
#include "src/program/rewrites/constant.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

constexpr const char* kBadProgram = "ERR_INVALID_OPTION";

c10::TypeKind kind_of(const c10::Argument& schema) {
  auto optional = schema.type()->cast<c10::OptionalType>();
  return (optional ? optional->getElementType() : schema.type())->kind();
}

// Arguments that the run decides: where random numbers come from, and whether it trains.
std::optional<c10::IValue> from_run(const c10::Argument& schema, Mode mode, const at::Generator& generator) {
  if (schema.type()->kind() == c10::TypeKind::BoolType && (schema.name() == "train" || schema.name() == "training")) {
    return c10::IValue(mode == Mode::kTraining);
  }
  if (kind_of(schema) == c10::TypeKind::GeneratorType) return c10::IValue(generator);
  return std::nullopt;
}

}  // namespace

Executor::Executor(const Program& program, std::vector<at::Tensor> tensors, Mode mode, const at::Generator& generator,
                   bool checks_statistics, c10::Device device)
    : owner_(program.owner), device_(device) {
  check(tensors.size() == program.parameters.size() + program.buffers.size(), kBadProgram, "Expected ",
        program.parameters.size() + program.buffers.size(), " tensors for the program but received ", tensors.size());
  for (const ProgramTensor& parameter : program.parameters) define(parameter.name);
  for (const ProgramTensor& buffer : program.buffers) define(buffer.name);
  bound_ = tensors.size();
  if (!tensors.empty()) device_ = tensors.front().device();
  std::move(tensors.begin(), tensors.end(), values_.begin());
  for (const ProgramConstant& constant : program.constants) {
    define(constant.name);
    const at::Tensor tensor = constant.tensor.to(device_);
    // Operators may write into them.
    const bool is_shared = mode == Mode::kEvaluation && !program.writes_in_evaluation;
    values_[bound_++] = is_shared ? tensor : tensor.clone();
  }
  for (const ProgramInput& input : program.inputs) inputs_.push_back(define(input.name));
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    if (std::count(node.modes.begin(), node.modes.end(), mode) == 0) continue;
    add_call(node, i, mode, generator, checks_statistics);
    if (checks_statistics && mode == Mode::kTraining && takes_statistics(node)) calls_.back().checked = node;
  }
  for (const std::string& name : program.outputs) outputs_.push_back(output_slot(program, name, mode));
  mark_last_uses();
}

Executor::~Executor() = default;

void Executor::add_call(const Node& node, size_t index, Mode mode, const at::Generator& generator,
                        bool checks_statistics) {
  const OwnOperator* own = find_own_operator(node.op);
  const ScalarOperator* scalar = find_scalar_operator(node.op);
  const std::string name = own != nullptr ? own->stands_for : node.op;
  std::string label = c10::str(place_of(node, index), " (", name, node.overload.empty() ? "" : ".", node.overload, ")");
  if (own != nullptr) return add_own(*own, node, std::move(label));
  if (scalar != nullptr) return add_scalar(*scalar, node, std::move(label));
  if (node.op == kCondition) return add_condition(node, std::move(label), mode, generator, checks_statistics);
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
      call.inputs.push_back({position, {{slot_of(value->name, call.label), false}}, Made::kValue, kind_of(schema)});
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
  call.check = find_call_check(node.op, node.overload);
  if (draws_by_itself(node, mode)) call.draws_from = generator;
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
  Input input{position, {}, Made::kValue, c10::TypeKind::AnyType, {}, {}};
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

void Executor::add_condition(const Node& node, std::string label, Mode mode, const at::Generator& generator,
                             bool checks_statistics) {
  auto condition = std::make_shared<Condition>(node, device_, mode, generator, checks_statistics);
  Call call{std::move(condition), std::vector<c10::IValue>(1), {}, {}, std::move(label)};
  const Argument* given = argument_of(node, "condition");
  if (const std::string* value = value_of(node, "condition")) {
    call.inputs.push_back({0, {{slot_of(*value, call.label), false}}});
  } else {
    const bool* constant = given != nullptr ? std::get_if<bool>(given) : nullptr;
    check(constant != nullptr, kBadProgram, "Expected a condition of ", call.label);
    call.arguments.front() = *constant;
  }
  const Argument* list = argument_of(node, "operands");
  const auto* operands = list != nullptr ? std::get_if<std::vector<ValueName>>(list) : nullptr;
  const size_t count = operands != nullptr ? operands->size() : 0;
  for (const Branch& branch : node.branches) {
    check(branch.inputs.size() == count && branch.outputs.size() == node.outputs.size() && node.items.empty(),
          kBadProgram, "Expected the operands of ", call.label, " as the inputs of its branches, and their outputs");
  }
  for (size_t i = 0; i < count; ++i) {
    call.inputs.push_back({call.arguments.size(), {{slot_of((*operands)[i].name, call.label), false}}});
    call.arguments.emplace_back();
  }
  call.surroundings = node.surroundings;
  define_outputs(call, node);
  calls_.push_back(std::move(call));
}

void Executor::add_scalar(const ScalarOperator& op, const Node& node, std::string label) {
  Call call{&op, std::vector<c10::IValue>(op.arguments), {}, {}, std::move(label)};
  constexpr std::array<const char*, 3> kNames = {"a", "b", "c"};
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
  for (Slot slot : outputs_) {
    if (slot != kDropped) seen[slot] = true;
  }
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    for (Slot& slot : call->outputs) {
      if (slot != kDropped && !seen[slot]) slot = kDropped;
    }
    for (auto input = call->inputs.rbegin(); input != call->inputs.rend(); ++input) {
      for (auto use = input->uses.rbegin(); use != input->uses.rend(); ++use) {
        use->last = !seen[use->slot];
        seen[use->slot] = true;
      }
    }
  }
}

std::string Executor::place_of(const Node& node, size_t index) const {
  if (!node.place.empty()) return node.place;
  for (const auto& [argument, given] : node.arguments) {
    const auto* value = std::get_if<ValueName>(&given);
    const auto slot = value != nullptr ? slots_.find(value->name) : slots_.end();
    if (slot == slots_.end() || slot->second >= bound_) continue;
    const size_t dot = value->name.rfind('.');
    if (dot != std::string::npos) return c10::str("the layer \"", value->name.substr(0, dot), "\"");
  }
  return c10::str("node ", index);
}

Executor::Slot Executor::slot_of(const std::string& name, const std::string& label) const {
  auto found = slots_.find(name);
  check(found != slots_.end(), kBadProgram, "No value named \"", name, "\" before ", label);
  return found->second;
}

Executor::Slot Executor::output_slot(const Program& program, const std::string& name, Mode mode) const {
  // Some models have auxiliary outputs in one mode.
  if (slots_.contains(name)) return slot_of(name, "the program's outputs");
  const bool is_of_other_mode = std::any_of(program.nodes.begin(), program.nodes.end(), [&](const Node& node) {
    return std::count(node.modes.begin(), node.modes.end(), mode) == 0 &&
           std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
  return is_of_other_mode ? kDropped : slot_of(name, "the program's outputs");
}

Executor::Slot Executor::define(const std::string& name) {
  const Slot slot = values_.size();
  check(slots_.emplace(name, slot).second, kBadProgram, "Two values of the program are named \"", name, "\"");
  values_.emplace_back();
  return slot;
}

}  // namespace incremental
