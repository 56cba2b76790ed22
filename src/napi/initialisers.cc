#include "src/napi/initialisers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/programs.h"
#include "src/napi/promise_worker.h"
#include "src/program/allowed_operators.h"
#include "src/program/executor.h"
#include "src/state/dtypes.h"

namespace incremental {
namespace {

double positive(const Napi::Object& from, const char* key) {
  const double value = number(from, key);
  check(std::isfinite(value) && value > 0, "ERR_INVALID_OPTION", "Expected a positive number for \"", key,
        "\" of an initialiser but received ", value);
  return value;
}

TruncatedNormal to_truncated_normal(const Napi::Object& from) {
  const TruncatedNormal how{number(from, "mean"), positive(from, "deviation"), number(from, "low"),
                            number(from, "high")};
  const double farthest = std::max(std::abs(how.low - how.mean), std::abs(how.high - how.mean)) / how.deviation;
  // Farther out, hardly a number would ever be accepted.
  check(how.low < how.high && farthest <= 1e4, "ERR_INVALID_OPTION", "Expected limits around the mean of an ",
        "initialiser but received ", how.low, " and ", how.high);
  return how;
}

// { nodes }, which compute the value `output` of nothing.
Computed to_computed(const Napi::Object& from) {
  Program program;
  program.nodes = to_nodes(array(from, "nodes"), 0);
  program.outputs = {"output"};
  check_operators(program, {});
  check(!draws(program, Mode::kEvaluation), "ERR_INVALID_OPTION", "A computed tensor draws random numbers");
  return {[program] {
    return Executor(program, {}, Mode::kEvaluation, at::detail::createCPUGenerator(0)).run({}).front();
  }};
}

Draw to_draw(const Napi::Object& from, const std::vector<InitialTensor>& tensors) {
  const auto index = integer(from, "tensor");
  check(index >= 0 && index < static_cast<int64_t>(tensors.size()), "ERR_INVALID_OPTION", "There is no tensor ", index,
        " to initialise");
  Draw draw{static_cast<size_t>(index), to_initialiser(object(from, "init"))};
  const InitialTensor& tensor = tensors[draw.tensor];
  const auto* constant = std::get_if<Constant>(&draw.initialiser);
  if (constant != nullptr && constant->row) {
    check(!tensor.shape.empty() && *constant->row >= 0 && *constant->row < tensor.shape[0], "ERR_INVALID_OPTION",
          "The tensor \"", tensor.name, "\" has no row ", *constant->row);
  }
  const bool is_drawn = constant == nullptr && !std::holds_alternative<Computed>(draw.initialiser) &&
                        !std::holds_alternative<Copied>(draw.initialiser);
  check(!is_drawn || at::isFloatingType(tensor.dtype), "ERR_INVALID_OPTION", "The tensor \"", tensor.name,
        "\" is of integers, which are not drawn");
  return draw;
}

InitialTensor to_initial_tensor(const Napi::Object& from) {
  InitialTensor tensor{string(from, "name"), dtype_named(string(from, "dtype")), integers(from, "shape")};
  const bool fits = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](int64_t size) { return size >= 0; });
  check(fits, "ERR_INVALID_OPTION", "Expected sizes for the tensor \"", tensor.name, "\" of a model");
  return tensor;
}

Napi::Value start_creation(const Napi::CallbackInfo& call) {
  check(call[0].IsArray() && call[1].IsArray(), "ERR_INVALID_OPTION", "Expected tensors and how they are initialised");
  std::vector<InitialTensor> tensors;
  std::vector<Draw> draws;
  for (const Napi::Object& from : to_objects(call[0].As<Napi::Array>(), "Expected { name, dtype, shape }")) {
    tensors.push_back(to_initial_tensor(from));
  }
  for (const Napi::Object& from : to_objects(call[1].As<Napi::Array>(), "Expected { tensor, init }")) {
    draws.push_back(to_draw(from, tensors));
  }
  const auto seed = static_cast<uint64_t>(to_integer(call[2], "seed"));
  using Created = std::shared_ptr<const StateDict>;
  return PromiseWorker<Created>::start(
      call.Env(),
      [tensors = std::move(tensors), draws = std::move(draws), seed]() -> Created {
        return create_state(tensors, draws, seed);
      },
      [](Napi::Env env, Created& state) { return Handle<StateDict>::make(env, state, bytes_of(*state)); });
}

}  // namespace

Initialiser to_initialiser(const Napi::Object& from) {
  const std::string kind = string(from, "kind");
  if (kind == "constant") {
    Constant how{number(from, "value")};
    if (!own(from, "row").IsUndefined()) how.row = integer(from, "row");
    return how;
  }
  if (kind == "uniform") return Uniform{positive(from, "bound")};
  if (kind == "normal") return Normal{number(from, "mean"), positive(from, "deviation")};
  if (kind == "truncatedNormal") return to_truncated_normal(from);
  if (kind == "computed") return to_computed(from);
  if (kind == "copy") {
    const int64_t tensor = integer(from, "tensor");
    check(tensor >= 0, "ERR_INVALID_OPTION", "There is no tensor ", tensor, " to copy");
    return Copied{static_cast<size_t>(tensor)};
  }
  throw Error("ERR_INVALID_OPTION", "There is no initialiser \"" + kind + "\"");
}

void export_initialisers(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "createState", start_creation);
}

}  // namespace incremental
