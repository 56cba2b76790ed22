// Members of families in plans: { kind, …options } each.
#include "src/napi/convert.h"

namespace incremental {
namespace {

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
      choice.options[name] = numbers(from, name.c_str());
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
