#include <algorithm>
#include <charconv>
#include <map>

#include "src/napi/convert.h"
#include "src/napi/programs.h"
#include "src/state/dtypes.h"

namespace incremental {
namespace {

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
  if (!value.IsString()) return to_integer(value, "args");
  const std::string digits = value.As<Napi::String>().Utf8Value();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  check(error == std::errc() && end == digits.data() + digits.size(), "ERR_INVALID_OPTION",
        "Expected an integer of 64 bits among the arguments of a program's nodes");
  return number;
}

template <class Constant>
Constant one_of(const std::map<std::string, Constant>& constants, const std::string& name) {
  const auto found = constants.find(name);
  check(found != constants.end(), "ERR_INVALID_OPTION", "Unknown constant ", name, " among a program's arguments");
  return found->second;
}

// { value }, or a constant of a type: { int }, { float }, { dtype }, { memoryFormat }, { layout }, { run }.
Argument to_constant(const Napi::Object& value) {
  static const std::map<std::string, at::MemoryFormat> kFormats = {
      {"contiguous_format", at::MemoryFormat::Contiguous},
      {"channels_last", at::MemoryFormat::ChannelsLast},
      {"channels_last_3d", at::MemoryFormat::ChannelsLast3d},
      {"preserve_format", at::MemoryFormat::Preserve}};
  static const std::map<std::string, at::Layout> kLayouts = {{"strided", at::Layout::Strided}};
  static const std::map<std::string, Argument> kOfRun = {{"training", RunTrains{}}, {"device", RunDevice{}}};
  const std::vector<std::string> keys = own_words(value);
  check(keys.size() == 1, "ERR_INVALID_OPTION", "Expected one key in a constant among the arguments of a program");
  const std::string& key = keys.front();
  const Napi::Value content = value.Get(key);
  if (key == "int") return Int{to_exact(content)};
  if (key == "float") return Float{number(value, "float")};
  check(content.IsString(), "ERR_INVALID_OPTION", "Expected a word for \"", key, "\" among a program's arguments");
  const std::string word = content.As<Napi::String>().Utf8Value();
  if (key == "value") return ValueName{word};
  if (key == "dtype") return dtype_named(word);
  if (key == "memoryFormat") return one_of(kFormats, word);
  if (key == "layout") return one_of(kLayouts, word);
  check(key == "run", "ERR_INVALID_OPTION", "Unknown constant \"", key, "\" among a program's arguments");
  return one_of(kOfRun, word);
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

// Names, null for a result that nobody reads, and a list of both for a result that is a list.
void add_outputs(Node& node, const Napi::Array& outputs) {
  const auto add = [&](const Napi::Value& name) {
    check(name.IsNull() || name.IsString(), "ERR_INVALID_OPTION", "Expected names for the outputs of a node");
    node.outputs.push_back(name.IsNull() ? "" : name.As<Napi::String>().Utf8Value());
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
  if (autocast.IsUndefined()) return around;
  const Napi::Object settings = object(value, "autocast");
  around.region = integer(settings, "region");
  around.autocast = own(settings, "dtype").IsString();
  if (*around.autocast) around.autocast_dtype = dtype_named(string(settings, "dtype"));
  return around;
}

// { inputs, nodes, outputs } of a condition.
Branch to_branch(const Napi::Object& value, int depth) {
  constexpr int kDeepest = 32;
  check(depth < kDeepest, "ERR_INVALID_OPTION", "Conditions inside conditions go deeper than ", kDeepest);
  return {strings(value, "inputs"), to_nodes(array(value, "nodes"), depth + 1), strings(value, "outputs")};
}

Node to_node(const Napi::Object& value, int depth) {
  Node node{string(value, "op"), string(value, "overload"), {}, {}, {}};
  add_outputs(node, array(value, "outputs"));
  node.surroundings = to_surroundings(value);
  Napi::Object arguments = object(value, "args");
  for (const std::string& name : own_words(arguments)) {
    node.arguments.emplace_back(name, to_argument(arguments.Get(name)));
  }
  if (own(value, "branches").IsObject()) {
    const Napi::Object branches = object(value, "branches");
    for (const char* key : {"whenTrue", "whenFalse"}) node.branches.push_back(to_branch(object(branches, key), depth));
  }
  if (own(value, "place").IsString()) node.place = string(value, "place");
  const Napi::Value only = own(value, "only");
  const std::string mode = only.IsString() ? only.As<Napi::String>().Utf8Value() : "";
  if (mode != "evaluation") node.modes.push_back(Mode::kTraining);
  if (mode != "training") node.modes.push_back(Mode::kEvaluation);
  return node;
}

}  // namespace

std::vector<Node> to_nodes(const Napi::Array& values, int depth) {
  std::vector<Node> nodes;
  for (const Napi::Object& node : to_objects(values, "Expected { op, overload, args, outputs } for each node")) {
    nodes.push_back(to_node(node, depth));
  }
  return nodes;
}

}  // namespace incremental
