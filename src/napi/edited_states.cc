// States of given values, and of the tensors of other states: src/state/edit.h, src/state/lay_out.h.
#include <cmath>
#include <cstring>
#include <utility>

#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/initialisers.h"
#include "src/napi/promise_worker.h"
#include "src/state/dtypes.h"
#include "src/state/edit.h"
#include "src/state/lay_out.h"

namespace incremental {
namespace {

using Made = std::shared_ptr<const StateDict>;

constexpr const char* kExpected = "Expected objects in a list of tensors";

Napi::Value to_handle(Napi::Env env, const Made& state) {
  return Handle<StateDict>::make(env, state, bytes_of(*state));
}

void check_truths(const at::Tensor& tensor, const std::string& name) {
  const auto* values = static_cast<const uint8_t*>(tensor.const_data_ptr());
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    check(values[i] <= 1, "ERR_INVALID_OPTION", "Expected 0 or 1 for each value of \"", name, "\", which is bool, but ",
          "received ", static_cast<int>(values[i]));
  }
}

// A copy of bytes: { name, dtype, shape, bytes }.
NamedTensor given_tensor(const Napi::Object& from) {
  const std::string name = string(from, "name");
  const std::vector<int64_t> shape = integers(from, "shape");
  int64_t elements = 1;
  bool is_sound = true;
  for (const int64_t size : shape)
    is_sound = is_sound && size >= 0 && !__builtin_mul_overflow(elements, size, &elements);
  const Napi::Value bytes = own(from, "bytes");
  check(is_sound && bytes.IsTypedArray() && bytes.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array,
        "ERR_INVALID_OPTION", "Expected sizes and a Uint8Array of bytes for \"", name, "\"");
  const auto source = bytes.As<Napi::Uint8Array>();
  const at::ScalarType dtype = dtype_named(string(from, "dtype"));
  const size_t width = c10::elementSize(dtype);
  // Compared before anything is allocated; a product with the width could overflow.
  check(source.ByteLength() % width == 0 && static_cast<int64_t>(source.ByteLength() / width) == elements,
        "ERR_INVALID_OPTION", "Expected ", elements, " values of ", width, " bytes for \"", name, "\" but received ",
        source.ByteLength(), " bytes");
  at::Tensor tensor = at::empty(shape, dtype);
  if (tensor.nbytes() > 0) std::memcpy(tensor.mutable_data_ptr(), source.Data(), tensor.nbytes());
  if (dtype == at::kBool) check_truths(tensor, name);
  return {name, std::move(tensor)};
}

Napi::Value make_state(const Napi::CallbackInfo& call) {
  check(call[0].IsArray(), "ERR_INVALID_OPTION", kExpected);
  auto state = std::make_shared<StateDict>();
  for (const Napi::Object& from : to_objects(call[0].As<Napi::Array>(), kExpected)) {
    state->push_back(given_tensor(from));
  }
  return to_handle(call.Env(), state);
}

// The tensors themselves, which nothing changes: { names, states, places }.
Napi::Value share_tensors(const Napi::CallbackInfo& call) {
  check(call[0].IsObject(), "ERR_INVALID_OPTION", "Expected a plan of tensors to share");
  const auto plan = call[0].As<Napi::Object>();
  const std::vector<std::string> names = strings(plan, "names");
  const States states = to_states(own(plan, "states"));
  const std::vector<int32_t> places = to_labels(own(plan, "places"));
  check(places.size() == 2 * names.size(), "ERR_INVALID_OPTION", "Expected a state and an index for each of ",
        names.size(), " names");
  auto shared = std::make_shared<StateDict>();
  shared->reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto state = static_cast<size_t>(places[2 * i]), index = static_cast<size_t>(places[2 * i + 1]);
    check(state < states.size() && index < states[state]->size(), "ERR_INVALID_OPTION", "There is no tensor ", index,
          " of a state ", state);
    shared->push_back({names[i], (*states[state])[index].tensor});
  }
  return to_handle(call.Env(), shared);
}

// { name, state, index, rows, init }.
GrownTensor grown_tensor(const Napi::Object& from) {
  const at::Tensor rows = to_tensor(from);
  std::vector<int64_t> shape = rows.sizes().vec();
  check(!shape.empty(), "ERR_SHAPE", "A tensor without dimensions has no rows");
  shape[0] = integer(from, "rows");
  return {{string(from, "name"), rows.scalar_type(), std::move(shape)}, to_initialiser(object(from, "init")), rows};
}

Napi::Value start_growth(const Napi::CallbackInfo& call) {
  check(call[0].IsArray(), "ERR_INVALID_OPTION", kExpected);
  const std::vector<Napi::Object> list = to_objects(call[0].As<Napi::Array>(), kExpected);
  std::vector<GrownTensor> tensors;
  tensors.reserve(list.size());
  for (const Napi::Object& from : list) tensors.push_back(grown_tensor(from));
  const auto seed = static_cast<uint64_t>(call[1].As<Napi::Number>().Int64Value());
  return PromiseWorker<Made>::start(
      call.Env(), [tensors = std::move(tensors), seed]() -> Made { return grow_tensors(tensors, seed); }, to_handle);
}

Napi::Value start_average(const Napi::CallbackInfo& call) {
  const States states = to_states(call[0]);
  return PromiseWorker<Made>::start(
      call.Env(), [states] { return average_states(states); }, to_handle);
}

// Exact integers, one after the other.
class Integers {
 public:
  Integers(const Napi::Object& from, const char* key) : key_(key) {
    const Napi::Value value = own(from, key);
    check(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array,
          "ERR_INVALID_OPTION", "Expected a Float64Array for \"", key, "\" of a plan");
    const auto array = value.As<Napi::Float64Array>();
    numbers_.assign(array.Data(), array.Data() + array.ElementLength());
  }

  bool is_at_end() const { return next_ == numbers_.size(); }

  int64_t next() {
    check(!is_at_end(), "ERR_INVALID_OPTION", "Expected more numbers in \"", key_, "\" of a plan");
    const double number = numbers_[next_++];
    check(std::trunc(number) == number && std::abs(number) <= 9007199254740991.0, "ERR_INVALID_OPTION",
          "Expected integers in \"", key_, "\" of a plan but received ", number);
    return static_cast<int64_t>(number);
  }

  std::vector<int64_t> next(int64_t count) {
    check(count >= 0 && count <= static_cast<int64_t>(numbers_.size() - next_), "ERR_INVALID_OPTION", "Expected ",
          count, " more numbers in \"", key_, "\" of a plan");
    std::vector<int64_t> list;
    list.reserve(count);
    for (int64_t i = 0; i < count; ++i) list.push_back(next());
    return list;
  }

 private:
  const char* key_;
  std::vector<double> numbers_;
  size_t next_ = 0;
};

// { storages, dtypes, places }.
LayoutPlan to_layout_plan(const Napi::Object& from) {
  LayoutPlan plan;
  Integers storages(from, "storages");
  while (!storages.is_at_end()) plan.storages.push_back(storages.next());
  Integers places(from, "places");
  for (const std::string& dtype : strings(from, "dtypes")) {
    Place place{dtype_named(dtype), {}, {}, 0, places.next(), {}};
    place.offset = places.next();
    const int64_t dimensions = places.next();
    place.shape = places.next(dimensions);
    place.stride = places.next(dimensions);
    place.tensors = places.next(places.next());
    plan.places.push_back(std::move(place));
  }
  check(places.is_at_end(), "ERR_INVALID_OPTION", "Expected fewer numbers in \"places\" of a plan");
  return plan;
}

Napi::Value start_layout(const Napi::CallbackInfo& call) {
  check(call[1].IsObject(), "ERR_INVALID_OPTION", "Expected a plan of storages");
  return PromiseWorker<Layout>::start(
      call.Env(),
      [state = Handle<StateDict>::open(call[0]), plan = to_layout_plan(call[1].As<Napi::Object>())] {
        return lay_out(*state, plan);
      },
      [](Napi::Env env, Layout& layout) {
        Napi::Object result = Napi::Object::New(env);
        result["storages"] = to_handle(env, std::make_shared<const StateDict>(std::move(layout.storages)));
        Napi::Array displaced = Napi::Array::New(env, layout.displaced.size());
        for (uint32_t i = 0; i < layout.displaced.size(); ++i) displaced[i] = layout.displaced[i];
        result["displaced"] = displaced;
        return result;
      });
}

}  // namespace

void export_edited_states(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "makeState", make_state);
  export_function(env, exports, "shareTensors", share_tensors);
  export_function(env, exports, "growTensors", start_growth);
  export_function(env, exports, "averageStates", start_average);
  export_function(env, exports, "layOut", start_layout);
}

}  // namespace incremental
