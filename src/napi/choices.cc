// Members of families in plans: { kind, …options } each.
#include <limits>

#include "src/core/error.h"
#include "src/napi/convert.h"

namespace incremental {
namespace {

// A list of numbers, where null is NaN: the member says what stands for it.
std::vector<double> numbers_or_nothing(const Napi::Object& from, const std::string& name) {
  const Napi::Array list = array(from, name.c_str());
  std::vector<double> numbers;
  numbers.reserve(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value item = list[i];
    check(item.IsNull() || item.IsNumber(), "ERR_INVALID_OPTION", "Expected numbers in the plan's \"", name, "\"");
    numbers.push_back(item.IsNull() ? std::numeric_limits<double>::quiet_NaN() : item.As<Napi::Number>().DoubleValue());
  }
  return numbers;
}

// The depth of members inside members is limited where they are made.
Choice to_choice(const Napi::Object& from) {
  Choice choice{string(from, "kind"), {}, {}};
  for (const std::string& name : own_words(from)) {
    const Napi::Value value = own(from, name.c_str());
    if (value.IsNumber()) choice.options[name] = value.As<Napi::Number>().DoubleValue();
    if (value.IsBoolean()) choice.options[name] = value.As<Napi::Boolean>().Value();
    if (value.IsString() && name != "kind") choice.options[name] = value.As<Napi::String>().Utf8Value();
    if (!value.IsArray()) continue;
    const auto items = value.As<Napi::Array>();
    if (items.Length() > 0 && items.Get(0u).IsObject()) {
      choice.members[name] = choices(from, name.c_str());
    } else {
      choice.options[name] = numbers_or_nothing(from, name);
    }
  }
  return choice;
}

}  // namespace

Choice choice(const Napi::Object& parent, const char* key) { return to_choice(object(parent, key)); }

std::vector<Choice> choices(const Napi::Object& parent, const char* key) {
  const auto objects = to_objects(array(parent, key), "Expected a member of a family in each place of a list");
  std::vector<Choice> choices;
  choices.reserve(objects.size());
  for (const Napi::Object& from : objects) choices.push_back(to_choice(from));
  return choices;
}

}  // namespace incremental
