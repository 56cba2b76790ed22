#include "src/napi/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/core/error.h"
#include "src/napi/handle.h"
#include "src/state/state_dict.h"

namespace incremental {
namespace {

Napi::Value property(const Napi::Object& object, const char* key, bool (Napi::Value::*is)() const,
                     const char* expected) {
  Napi::Value value = own(object, key);
  check((value.*is)(), "ERR_INVALID_OPTION", "Expected ", expected, " for \"", key, "\" of a plan");
  return value;
}

// A list that must be of one kind.
template <class Item>
std::vector<Item> list(const Napi::Array& values, const char* key, Item (*convert)(const Napi::Value&, const char*)) {
  std::vector<Item> items;
  items.reserve(values.Length());
  for (uint32_t i = 0; i < values.Length(); ++i) items.push_back(convert(values[i], key));
  return items;
}

double to_number(const Napi::Value& value, const char* key) {
  check(value.IsNumber(), "ERR_INVALID_OPTION", "Expected numbers for \"", key, "\" of a plan");
  return value.As<Napi::Number>().DoubleValue();
}

std::string to_string(const Napi::Value& value, const char* key) {
  check(value.IsString(), "ERR_INVALID_OPTION", "Expected strings for \"", key, "\" of a plan");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Array own_names(const Napi::Object& object) {
  napi_value names = nullptr;
  const auto filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  const napi_status status =
      napi_get_all_property_names(object.Env(), object, napi_key_own_only, filter, napi_key_numbers_to_strings, &names);
  if (status != napi_ok) throw Napi::Error::New(object.Env());
  return {object.Env(), names};
}

}  // namespace

Napi::Value own(const Napi::Object& object, const char* key) {
  const Napi::String name = Napi::String::New(object.Env(), key);
  return object.HasOwnProperty(name) ? object.Get(name) : object.Env().Undefined();
}

int64_t to_integer(const Napi::Value& value, const char* key) {
  const double wide = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  check(std::trunc(wide) == wide && std::abs(wide) <= 9007199254740991.0, "ERR_INVALID_OPTION",
        "Expected an integer for \"", key, "\" of a plan");
  return static_cast<int64_t>(wide);
}

int64_t integer(const Napi::Object& object, const char* key) { return to_integer(own(object, key), key); }

double number(const Napi::Object& object, const char* key) { return to_number(own(object, key), key); }

bool boolean(const Napi::Object& object, const char* key) {
  return property(object, key, &Napi::Value::IsBoolean, "a boolean").As<Napi::Boolean>().Value();
}

std::string string(const Napi::Object& object, const char* key) { return to_string(own(object, key), key); }

Napi::Object object(const Napi::Object& parent, const char* key) {
  return property(parent, key, &Napi::Value::IsObject, "an object").As<Napi::Object>();
}

Napi::Array array(const Napi::Object& object, const char* key) {
  return property(object, key, &Napi::Value::IsArray, "an array").As<Napi::Array>();
}

std::vector<int64_t> integers(const Napi::Object& object, const char* key) {
  return list(array(object, key), key, to_integer);
}

std::vector<double> numbers(const Napi::Object& object, const char* key) {
  return list(array(object, key), key, to_number);
}

std::vector<std::string> strings(const Napi::Object& object, const char* key) {
  return list(array(object, key), key, to_string);
}

std::vector<Napi::Object> to_objects(const Napi::Array& values, const char* expected) {
  std::vector<Napi::Object> objects;
  objects.reserve(values.Length());
  for (uint32_t i = 0; i < values.Length(); ++i) {
    const Napi::Value value = values[i];
    check(value.IsObject(), "ERR_INVALID_OPTION", expected);
    objects.push_back(value.As<Napi::Object>());
  }
  return objects;
}

std::vector<std::string> to_strings(const Napi::Array& values, const char* key) { return list(values, key, to_string); }

std::vector<std::string> own_words(const Napi::Object& object) { return to_strings(own_names(object), "names"); }

std::shared_ptr<const File> to_file(const Napi::Object& plan) {
  const int64_t descriptor = integer(plan, "descriptor");
  check(descriptor >= 0 && descriptor <= std::numeric_limits<int>::max(), "ERR_INVALID_OPTION",
        "Expected a descriptor for \"descriptor\" of a plan");
  return std::make_shared<const File>(File::duplicate(string(plan, "path"), static_cast<int>(descriptor)));
}

std::vector<int32_t> to_labels(const Napi::Value& value) {
  check(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array, "ERR_INVALID_OPTION",
        "Expected an Int32Array for \"labels\" of a plan");
  const auto labels = value.As<Napi::Int32Array>();
  return {labels.Data(), labels.Data() + labels.ElementLength()};
}

States to_states(const Napi::Value& from) {
  check(from.IsArray(), "ERR_INVALID_OPTION", "Expected a list of states");
  const Napi::Array handles = from.As<Napi::Array>();
  States states;
  states.reserve(handles.Length());
  for (uint32_t i = 0; i < handles.Length(); ++i) states.push_back(Handle<StateDict>::open(handles.Get(i)));
  return states;
}

at::Tensor to_tensor(const Napi::Value& from) {
  if (from.IsNull()) return {};
  check(from.IsObject(), "ERR_INVALID_OPTION", "Expected tensors of states in a plan");
  const auto state = Handle<StateDict>::open(own(from.As<Napi::Object>(), "state"));
  const int64_t index = integer(from.As<Napi::Object>(), "index");
  check(index >= 0 && index < static_cast<int64_t>(state->size()), "ERR_INVALID_OPTION", "A state of ", state->size(),
        " tensors has no tensor ", index);
  return (*state)[index].tensor;
}

std::vector<ParameterGroup> to_groups(const Napi::Array& from) {
  std::vector<ParameterGroup> groups;
  for (const Napi::Object& given : to_objects(from, "Expected groups of parameters in a plan")) {
    groups.push_back({choice(given, "optimizer"), integers(given, "parameters")});
  }
  return groups;
}

std::vector<at::Tensor> to_tensors(const Napi::Array& from) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(from.Length());
  for (uint32_t i = 0; i < from.Length(); ++i) tensors.push_back(to_tensor(from.Get(i)));
  return tensors;
}

std::shared_ptr<const StateDict> to_state(const Napi::Object& from) {
  auto state = std::make_shared<StateDict>();
  const Napi::Array names = own_names(from);
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = to_string(names.Get(i), "state");
    state->push_back({name, to_tensor(own(from, name.c_str()))});
  }
  return state;
}

Napi::Object to_js(Napi::Env env, const Evaluation& evaluation) {
  const auto numbers = [env](const at::Tensor& counts) {
    if (!counts.defined()) return Napi::Float64Array::New(env, 0);
    return to_typed_array<Napi::Float64Array, double>(env, counts);
  };
  Napi::Object result = Napi::Object::New(env);
  result["loss"] = evaluation.loss;
  result["samples"] = evaluation.samples;
  result["correct"] = evaluation.correct;
  result["predicted"] = evaluation.predicted;
  result["confusion"] = numbers(evaluation.confusion);
  result["notFinite"] = numbers(evaluation.not_finite);
  Napi::Array sums = Napi::Array::New(env, evaluation.sums.size());
  for (uint32_t i = 0; i < sums.Length(); ++i) sums[i] = numbers(evaluation.sums[i]);
  result["sums"] = sums;
  return result;
}

std::vector<Slots> to_slots(const Napi::Array& from) {
  std::vector<Slots> all;
  for (const Napi::Object& given : to_objects(from, "Expected slots for each parameter of a plan")) {
    Slots& slots = all.emplace_back();
    const Napi::Array names = own_names(given);
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = to_string(names.Get(i), "slots");
      const Napi::Value value = own(given, name.c_str());
      slots.push_back({name, value.IsNumber() ? at::scalar_tensor(to_number(value, "slots")) : to_tensor(value)});
    }
  }
  return all;
}

}  // namespace incremental
