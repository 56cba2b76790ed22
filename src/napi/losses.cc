#include "src/napi/losses.h"

#include <utility>

#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/programs.h"
#include "src/program/allowed_operators.h"

namespace incremental {
namespace {

Program to_fragment(const Napi::Object& from, const std::string& kind) {
  Program program = to_program(from);
  program.owner = kind;
  check_operators(program, {});
  check(!draws(program, Mode::kTraining), "ERR_INVALID_OPTION", "Expected a loss that draws no random numbers, but ",
        kind, " does");
  check(program.parameters.empty() && program.outputs.size() == 1, "ERR_INVALID_OPTION",
        "Expected one output and no parameters of ", kind);
  return program;
}

std::optional<Program> to_optional_fragment(const Napi::Object& plan, const char* key, const std::string& kind) {
  const Napi::Value value = own(plan, key);
  if (!value.IsObject()) return std::nullopt;
  return to_fragment(value.As<Napi::Object>(), kind);
}

LossPlan::Output to_output(const Napi::Object& from) {
  return {string(from, "name"), integer(from, "index"), strings(from, "axes"), boolean(from, "isNotNegative")};
}

LossPlan::Target to_target(const Napi::Object& from) {
  LossPlan::Target target{to_target_kind(string(from, "kind")), strings(from, "axes")};
  check(!target.axes.empty() && target.axes.front() == "samples", "ERR_INVALID_OPTION",
        "Expected \"samples\" as the first axis of a target of a loss");
  return target;
}

LossPlan::Constant to_constant(const Napi::Object& from) {
  LossPlan::Constant constant{string(from, "name"), strings(from, "axes"), numbers(from, "data")};
  check(!constant.data.empty() && constant.axes.size() <= 1 && (!constant.axes.empty() || constant.data.size() == 1),
        "ERR_INVALID_OPTION", "Expected numbers along one axis, or one number, for \"", constant.name, "\" of a loss");
  return constant;
}

template <class Item>
std::vector<Item> items(const Napi::Object& from, const char* key, Item (*convert)(const Napi::Object&)) {
  const std::vector<Napi::Object> objects = to_objects(array(from, key), "Expected objects in the lists of a loss");
  std::vector<Item> converted;
  converted.reserve(objects.size());
  for (const Napi::Object& item : objects) converted.push_back(convert(item));
  return converted;
}

}  // namespace

std::shared_ptr<const LossPlan> to_loss(const Napi::Object& from) {
  LossPlan plan;
  plan.kind = string(from, "kind");
  plan.is_sum = string(from, "reduction") == "sum";
  plan.outputs = items(from, "outputs", to_output);
  check(!plan.outputs.empty(), "ERR_INVALID_OPTION", "Expected at least one output for ", plan.kind);
  plan.targets = items(from, "targets", to_target);
  plan.takes_signs = boolean(from, "takesSigns");
  plan.constants = items(from, "constants", to_constant);
  if (own(from, "ignoredIndex").IsNumber()) plan.ignored_index = integer(from, "ignoredIndex");
  plan.is_sum_per_sample = string(from, "perSample") == "sum";
  plan.is_log_likelihood = boolean(from, "isLogLikelihood");
  plan.whole = to_fragment(object(from, "whole"), plan.kind);
  plan.each = to_optional_fragment(from, "each", plan.kind);
  plan.divisor = to_optional_fragment(from, "divisor", plan.kind);
  return std::make_shared<const LossPlan>(std::move(plan));
}

}  // namespace incremental
