#include "src/napi/programs.h"

#include <algorithm>
#include <limits>

#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"
#include "src/program/allowed_operators.h"
#include "src/state/dtypes.h"

namespace incremental {
namespace {

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
    tensor.is_frozen = own(value, "frozen").IsBoolean() && boolean(value, "frozen");
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
