// States from plans and to files, and what JavaScript may ask of them. Reading and writing happen on libuv's pool.
#include <cstring>

#include "src/checkpoint/dtypes.h"
#include "src/checkpoint/read.h"
#include "src/checkpoint/write.h"
#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"

namespace incremental {
namespace {

StoredStorage to_storage(const Napi::Object& from) {
  return {integer(from, "offset"), integer(from, "bytes"), boolean(from, "bigEndian"),
          static_cast<uint32_t>(integer(from, "crc32"))};
}

StoredTensor to_tensor(const Napi::Object& from) {
  return {string(from, "name"),    dtype_named(string(from, "dtype")),
          integers(from, "shape"), integers(from, "stride"),
          integer(from, "offset"), integer(from, "storage")};
}

ReadPlan to_read_plan(const Napi::Object& from) {
  ReadPlan plan{string(from, "path"), integer(from, "fileBytes"), {}, {}};
  const Napi::Array storages = array(from, "storages");
  for (uint32_t i = 0; i < storages.Length(); ++i) {
    Napi::HandleScope scope(from.Env());
    plan.storages.push_back(to_storage(storages.Get(i).As<Napi::Object>()));
  }
  const Napi::Array tensors = array(from, "tensors");
  for (uint32_t i = 0; i < tensors.Length(); ++i) {
    Napi::HandleScope scope(from.Env());
    plan.tensors.push_back(to_tensor(tensors.Get(i).As<Napi::Object>()));
  }
  return plan;
}

WritePlan to_write_plan(const Napi::Object& from) {
  const Napi::Value pickle = from.Get("pickle");
  check(pickle.IsTypedArray() && pickle.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array,
        "ERR_INVALID_OPTION", "Expected a Uint8Array for \"pickle\" of a plan");
  const auto bytes = pickle.As<Napi::Uint8Array>();
  return {string(from, "path"), static_cast<uint32_t>(integer(from, "mode")), string(from, "archive"),
          std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength())};
}

Napi::Value read(const Napi::CallbackInfo& call) {
  return PromiseWorker<StateDict>::start(
      call.Env(), [plan = to_read_plan(call[0].As<Napi::Object>())] { return read_state(plan); },
      [](Napi::Env env, StateDict& state) {
        const int64_t bytes = bytes_of(state);
        return Handle<StateDict>::make(env, std::make_shared<const StateDict>(std::move(state)), bytes);
      });
}

struct Nothing {};

Napi::Value write(const Napi::CallbackInfo& call) {
  return PromiseWorker<Nothing>::start(
      call.Env(),
      [state = Handle<StateDict>::open(call[0]), plan = to_write_plan(call[1].As<Napi::Object>())] {
        write_state(*state, plan);
        return Nothing{};
      },
      [](Napi::Env env, Nothing&) { return env.Undefined(); });
}

Napi::Array to_array(Napi::Env env, at::IntArrayRef values) {
  Napi::Array result = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) result[i] = static_cast<double>(values[i]);
  return result;
}

Napi::Value state_info(const Napi::CallbackInfo& call) {
  const auto state = Handle<StateDict>::open(call[0]);
  const Storages storages = storages_of(*state);
  Napi::Array infos = Napi::Array::New(call.Env(), state->size());
  for (uint32_t i = 0; i < state->size(); ++i) {
    Napi::HandleScope scope(call.Env());
    const auto& [name, tensor] = (*state)[i];
    const size_t storage = storages.of_tensor[i];
    Napi::Object info = Napi::Object::New(call.Env());
    info["name"] = name;
    info["dtype"] = name_of(tensor.scalar_type());
    info["shape"] = to_array(call.Env(), tensor.sizes());
    info["stride"] = to_array(call.Env(), tensor.strides());
    info["offset"] = static_cast<double>(tensor.storage_offset());
    info["storage"] = static_cast<double>(storage);
    info["storageBytes"] = static_cast<double>(storages.list[storage].nbytes());
    infos[i] = info;
  }
  return infos;
}

Napi::Value state_tensor(const Napi::CallbackInfo& call) {
  const auto state = Handle<StateDict>::open(call[0]);
  const double index = call[1].IsNumber() ? call[1].As<Napi::Number>().DoubleValue() : -1;
  check(index >= 0 && index < static_cast<double>(state->size()), "ERR_INVALID_OPTION", "A state of ", state->size(),
        " tensors has no tensor ", index);
  const at::Tensor tensor = (*state)[static_cast<size_t>(index)].tensor.contiguous();
  Napi::ArrayBuffer bytes = Napi::ArrayBuffer::New(call.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(bytes.Data(), tensor.const_data_ptr(), tensor.nbytes());
  return bytes;
}

Napi::Value states_equal(const Napi::CallbackInfo& call) {
  const auto a = Handle<StateDict>::open(call[0]);
  const auto b = Handle<StateDict>::open(call[1]);
  return Napi::Boolean::New(call.Env(), bitwise_equal(*a, *b));
}

Napi::Value dispose_state(const Napi::CallbackInfo& call) {
  Handle<StateDict>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_states(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "readState", read);
  export_function(env, exports, "writeState", write);
  export_function(env, exports, "stateInfo", state_info);
  export_function(env, exports, "stateTensor", state_tensor);
  export_function(env, exports, "statesEqual", states_equal);
  export_function(env, exports, "disposeState", dispose_state);
}

}  // namespace incremental
