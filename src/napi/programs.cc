#include "src/napi/programs.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"
#include "src/program/allowed_operators.h"
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

std::vector<Node> to_nodes(const Napi::Array& values, int depth);

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

std::vector<Node> to_nodes(const Napi::Array& values, int depth) {
  std::vector<Node> nodes;
  for (const Napi::Object& node : to_objects(values, "Expected { op, overload, args, outputs } for each node")) {
    nodes.push_back(to_node(node, depth));
  }
  return nodes;
}

std::vector<ProgramInput> to_program_inputs(const Napi::Array& values) {
  std::vector<ProgramInput> inputs;
  for (const Napi::Object& input : to_objects(values, "Expected { name, dtype } for each input of a program")) {
    inputs.push_back({string(input, "name"), to_value_type(string(input, "dtype"))});
  }
  return inputs;
}

std::vector<int64_t> integers_if_any(const Napi::Object& object, const char* key) {
  return own(object, key).IsUndefined() ? std::vector<int64_t>() : integers(object, key);
}

// Sizes, and strides of as many axes where there are any, as those of a tensor can be.
void check_form(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& stride) {
  const auto is_size = [](int64_t number) { return number >= 0; };
  const bool fits = stride.empty() || stride.size() == shape.size();
  check(fits && std::all_of(shape.begin(), shape.end(), is_size) && std::all_of(stride.begin(), stride.end(), is_size),
        "ERR_INVALID_OPTION", "Expected sizes, and strides of as many axes, for the tensor \"", name, "\" of a model");
}

std::vector<ProgramTensor> to_program_tensors(const Napi::Array& values) {
  std::vector<ProgramTensor> tensors;
  for (const Napi::Object& value : to_objects(values, "Expected { name, dtype, shape } for each tensor of a program")) {
    ProgramTensor tensor{string(value, "name"),
                         dtype_named(string(value, "dtype")),
                         integers(value, "shape"),
                         {},
                         integers_if_any(value, "stride"),
                         {}};
    check_form(tensor.name, tensor.shape, tensor.stride);
    if (own(value, "ties").IsArray()) tensor.ties = strings(value, "ties");
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// { name, dtype, shape, stride? } each; `tensors`: their elements, in the same order.
std::vector<ProgramConstant> to_program_constants(const Napi::Array& values, const StateDict& tensors) {
  std::vector<ProgramConstant> constants;
  const std::vector<ProgramTensor> wanted = to_program_tensors(values);
  check(wanted.size() == tensors.size(), "ERR_INVALID_OPTION", "Expected the elements of ", wanted.size(),
        " constants of a model but received ", tensors.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    at::Tensor tensor = tensors[i].tensor;
    check(tensor.sizes() == at::IntArrayRef(wanted[i].shape) && tensor.scalar_type() == wanted[i].dtype,
          "ERR_INVALID_OPTION", "Expected the elements of the constant \"", wanted[i].name, "\" in its form");
    if (!wanted[i].stride.empty()) {
      at::Tensor strided = at::empty_strided(wanted[i].shape, wanted[i].stride, tensor.options());
      if (strided.is_non_overlapping_and_dense()) tensor = strided.copy_(tensor);
    }
    constants.push_back({wanted[i].name, std::move(tensor)});
  }
  return constants;
}

BatchRange to_batch_range(const Napi::Object& value) {
  BatchRange range{integer(value, "min"), std::numeric_limits<int64_t>::max()};
  if (!own(value, "max").IsUndefined()) range.most = integer(value, "max");
  return range;
}

Program without_nodes(const Napi::Object& value) {
  Program program{to_program_inputs(array(value, "inputs")),
                  to_program_tensors(array(value, "parameters")),
                  to_program_tensors(array(value, "buffers")),
                  {},
                  strings(value, "outputs")};
  if (own(value, "batch").IsObject()) program.batch = to_batch_range(object(value, "batch"));
  if (own(value, "exported").IsBoolean()) program.may_be_rewritten = !boolean(value, "exported");
  return program;
}

// A program while its nodes are added, some at a time: JavaScript waits for none of many.
struct ProgramDraft {
  std::shared_ptr<Program> program;
};

Napi::Value begin_program(const Napi::CallbackInfo& call) {
  check(call[0].IsObject(), "ERR_INVALID_OPTION", "Expected a program");
  const auto from = call[0].As<Napi::Object>();
  auto program = std::make_shared<Program>(without_nodes(from));
  if (own(from, "constants").IsArray()) {
    program->constants = to_program_constants(array(from, "constants"), *Handle<StateDict>::open(call[1]));
  }
  return Handle<ProgramDraft>::make(call.Env(), std::make_shared<const ProgramDraft>(ProgramDraft{program}), 0);
}

Napi::Value add_nodes(const Napi::CallbackInfo& call) {
  check(call[1].IsArray(), "ERR_INVALID_OPTION", "Expected a list of nodes");
  const auto draft = Handle<ProgramDraft>::open(call[0]);
  for (Node& node : to_nodes(call[1].As<Napi::Array>(), 0)) draft->program->nodes.push_back(std::move(node));
  return call.Env().Undefined();
}

// A copy: the draft may grow further.
Napi::Value finish_program(const Napi::CallbackInfo& call) {
  check(call[1].IsArray(), "ERR_INVALID_OPTION", "Expected a list of operators");
  auto program = std::make_shared<Program>(*Handle<ProgramDraft>::open(call[0])->program);
  const std::vector<std::string> added = to_strings(call[1].As<Napi::Array>(), "allowOperators");
  using Made = std::shared_ptr<const Program>;
  return PromiseWorker<Made>::start(
      call.Env(),
      [program, added]() -> Made {
        check_operators(*program, added);
        program->writes_in_evaluation = writes_in_place(*program, Mode::kEvaluation);
        return program;
      },
      [](Napi::Env env, Made& made) { return Handle<Program>::make(env, made, 0); });
}

}  // namespace

Program to_program(const Napi::Object& value) {
  Program program = without_nodes(value);
  program.nodes = to_nodes(array(value, "nodes"), 0);
  return program;
}

void export_programs(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "beginProgram", begin_program);
  export_function(env, exports, "addNodes", add_nodes);
  export_function(env, exports, "finishProgram", finish_program);
}

}  // namespace incremental
