#include "src/napi/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

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

int64_t to_integer(const Napi::Value& value, const char* key) {
  const double wide = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  check(std::trunc(wide) == wide && std::abs(wide) <= 9007199254740991.0, "ERR_INVALID_OPTION",
        "Expected an integer for \"", key, "\" of a plan");
  return static_cast<int64_t>(wide);
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

template <class Kind>
bool all_are(const std::vector<Item>& items) {
  return std::all_of(items.begin(), items.end(), [](const Item& item) { return std::holds_alternative<Kind>(item); });
}

template <class Kind>
std::vector<Kind> of_all(const std::vector<Item>& items) {
  std::vector<Kind> kept;
  kept.reserve(items.size());
  for (const Item& item : items) kept.push_back(std::get<Kind>(item));
  return kept;
}

int64_t to_exact(const Napi::Value& value) {
  if (!value.IsBigInt()) return to_integer(value, "args");
  bool lossless = false;
  const int64_t number = value.As<Napi::BigInt>().Int64Value(&lossless);
  check(lossless, "ERR_INVALID_OPTION", "Expected an integer of 64 bits among the arguments of a program's nodes");
  return number;
}

template <class Constant>
Constant one_of(const std::map<std::string, Constant>& constants, const std::string& name) {
  const auto found = constants.find(name);
  check(found != constants.end(), "ERR_INVALID_OPTION", "Unknown constant ", name, " among a program's arguments");
  return found->second;
}

const std::map<std::string, at::ScalarType>& dtypes() {
  static const std::map<std::string, at::ScalarType> kDtypes = {{"uint8", at::kByte},
                                                                {"int8", at::kChar},
                                                                {"int16", at::kShort},
                                                                {"int32", at::kInt},
                                                                {"int64", at::kLong},
                                                                {"float16", at::kHalf},
                                                                {"float32", at::kFloat},
                                                                {"float64", at::kDouble},
                                                                {"bfloat16", at::kBFloat16},
                                                                {"bool", at::kBool},
                                                                {"complex64", at::kComplexFloat},
                                                                {"complex128", at::kComplexDouble}};
  return kDtypes;
}

// { value }, or a constant of a type: { int }, { float }, { dtype }, { memoryFormat }, { layout }, { run }.
Argument to_constant(const Napi::Object& value) {
  static const std::map<std::string, at::MemoryFormat> kFormats = {{"contiguous", at::MemoryFormat::Contiguous},
                                                                   {"channelsLast", at::MemoryFormat::ChannelsLast},
                                                                   {"channelsLast3d", at::MemoryFormat::ChannelsLast3d},
                                                                   {"preserve", at::MemoryFormat::Preserve}};
  const auto has = [&](const char* key) { return !own(value, key).IsUndefined(); };
  if (has("int")) return Int{to_exact(own(value, "int"))};
  if (has("float")) return Float{number(value, "float")};
  if (has("dtype")) return one_of(dtypes(), string(value, "dtype"));
  if (has("memoryFormat")) return one_of(kFormats, string(value, "memoryFormat"));
  if (has("layout"))
    return one_of(std::map<std::string, at::Layout>{{"strided", at::Layout::Strided}}, string(value, "layout"));
  if (has("run")) {
    return one_of(std::map<std::string, Argument>{{"training", RunTrains{}}, {"device", RunDevice{}}},
                  string(value, "run"));
  }
  return ValueName{string(value, "value")};
}

Item to_item(const Napi::Value& value) {
  if (value.IsNull()) return std::monostate{};
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  check(value.IsObject(), "ERR_INVALID_OPTION", "Expected values and numbers in the lists of a program");
  const Argument constant = to_constant(value.As<Napi::Object>());
  if (auto name = std::get_if<ValueName>(&constant)) return *name;
  if (auto number = std::get_if<Int>(&constant)) return *number;
  const auto* number = std::get_if<Float>(&constant);
  check(number != nullptr, "ERR_INVALID_OPTION", "Expected values and numbers in the lists of a program");
  return *number;
}

// Of numbers alone, of values alone, or mixed.
Argument to_list(const Napi::Array& values) {
  std::vector<Item> items;
  items.reserve(values.Length());
  for (uint32_t i = 0; i < values.Length(); ++i) items.push_back(to_item(values[i]));
  if (all_are<double>(items)) return of_all<double>(items);
  if (all_are<ValueName>(items)) return of_all<ValueName>(items);
  return items;
}

Argument to_argument(const Napi::Value& value) {
  if (value.IsNull()) return std::monostate{};
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsArray()) {
    Napi::Array items = value.As<Napi::Array>();
    return to_list(items);
  }
  check(value.IsObject(), "ERR_INVALID_OPTION", "Expected plain values for the arguments of a program's nodes");
  return to_constant(value.As<Napi::Object>());
}

Napi::Array own_names(const Napi::Object& object) {
  napi_value names = nullptr;
  const auto filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  const napi_status status =
      napi_get_all_property_names(object.Env(), object, napi_key_own_only, filter, napi_key_numbers_to_strings, &names);
  if (status != napi_ok) throw Napi::Error::New(object.Env());
  return {object.Env(), names};
}

// Names, null for a result that nobody reads, and a list of both for a result that is a list.
void add_outputs(Node& node, const Napi::Array& outputs) {
  const auto add = [&](const Napi::Value& name) {
    node.outputs.push_back(name.IsNull() ? "" : to_string(name, "outputs"));
  };
  bool has_lists = false;
  for (uint32_t i = 0; i < outputs.Length(); ++i) {
    const Napi::Value output = outputs[i];
    if (output.IsArray()) {
      const Napi::Array items = output.As<Napi::Array>();
      for (uint32_t k = 0; k < items.Length(); ++k) add(items[k]);
      node.items.push_back(items.Length());
      has_lists = true;
    } else {
      add(output);
      node.items.push_back(Node::kSingle);
    }
  }
  if (!has_lists) node.items.clear();
}

Surroundings to_surroundings(const Napi::Object& value) {
  Surroundings around;
  const Napi::Value gradient = own(value, "gradient"), autocast = own(value, "autocast");
  around.no_grad = gradient.IsBoolean() && !gradient.As<Napi::Boolean>().Value();
  if (autocast.IsBoolean()) around.autocast = autocast.As<Napi::Boolean>().Value();
  if (autocast.IsString()) {
    around.autocast = true;
    around.autocast_dtype = one_of(dtypes(), to_string(autocast, "autocast"));
  }
  return around;
}

Node to_node(const Napi::Object& value) {
  Node node{string(value, "op"), string(value, "overload"), {}, {}, {}};
  add_outputs(node, array(value, "outputs"));
  node.surroundings = to_surroundings(value);
  Napi::Object arguments = object(value, "args");
  const Napi::Array names = own_names(arguments);
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    node.arguments.emplace_back(name, to_argument(arguments.Get(name)));
  }
  const Napi::Value only = own(value, "only");
  const std::string mode = only.IsString() ? only.As<Napi::String>().Utf8Value() : "";
  if (mode != "evaluation") node.modes.push_back(Mode::kTraining);
  if (mode != "training") node.modes.push_back(Mode::kEvaluation);
  return node;
}

std::vector<ProgramInput> to_program_inputs(const Napi::Array& values) {
  std::vector<ProgramInput> inputs;
  for (const Napi::Object& input : to_objects(values, "Expected { name, dtype } for each input of a program")) {
    inputs.push_back({string(input, "name"), to_value_type(string(input, "dtype"))});
  }
  return inputs;
}

std::vector<ProgramTensor> to_program_tensors(const Napi::Array& values) {
  std::vector<ProgramTensor> tensors;
  for (uint32_t i = 0; i < values.Length(); ++i) {
    const Napi::Object value = values.Get(i).As<Napi::Object>();
    tensors.push_back({string(value, "name"), to_dtype(string(value, "dtype")), integers(value, "shape")});
  }
  return tensors;
}

}  // namespace

Napi::Value own(const Napi::Object& object, const char* key) {
  const Napi::String name = Napi::String::New(object.Env(), key);
  return object.HasOwnProperty(name) ? object.Get(name) : object.Env().Undefined();
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

at::ScalarType to_dtype(const std::string& name) {
  if (name == "float32") return at::kFloat;
  check(name == "int64", "ERR_INVALID_OPTION", "Expected float32 or int64 for a tensor of a model but received ", name);
  return at::kLong;
}

Program to_program(const Napi::Object& value) {
  Program program{to_program_inputs(array(value, "inputs")),
                  to_program_tensors(array(value, "parameters")),
                  to_program_tensors(array(value, "buffers")),
                  {},
                  strings(value, "outputs")};
  const Napi::Array nodes = array(value, "nodes");
  for (uint32_t i = 0; i < nodes.Length(); ++i) program.nodes.push_back(to_node(nodes.Get(i).As<Napi::Object>()));
  return program;
}

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
