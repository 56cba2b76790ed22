// State dicts for lib/state.ts: read, written, compared and looked into.
#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "src/checkpoint/read.h"
#include "src/checkpoint/write.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"

namespace incremental {
namespace {

constexpr std::pair<const char*, at::ScalarType> kDTypes[] = {
    {"float64", at::kDouble},
    {"float32", at::kFloat},
    {"float16", at::kHalf},
    {"bfloat16", at::kBFloat16},
    {"int64", at::kLong},
    {"int32", at::kInt},
    {"int16", at::kShort},
    {"int8", at::kChar},
    {"uint8", at::kByte},
    {"bool", at::kBool},
    {"uint16", at::kUInt16},
    {"uint32", at::kUInt32},
    {"uint64", at::kUInt64},
    {"complex64", at::kComplexFloat},
    {"complex128", at::kComplexDouble},
    {"float8_e4m3fn", at::kFloat8_e4m3fn},
    {"float8_e5m2", at::kFloat8_e5m2},
    {"float8_e4m3fnuz", at::kFloat8_e4m3fnuz},
    {"float8_e5m2fnuz", at::kFloat8_e5m2fnuz},
    {"float8_e8m0fnu", at::kFloat8_e8m0fnu},
};

at::ScalarType parse_dtype(const std::string& name) {
  for (const auto& [known, dtype] : kDTypes) {
    if (name == known) return dtype;
  }
  throw Error("ERR_STATE_FORMAT", "Unknown dtype " + name);
}

const char* name_of(at::ScalarType wanted) {
  for (const auto& [name, dtype] : kDTypes) {
    if (dtype == wanted) return name;
  }
  throw Error("ERR_STATE_FORMAT", c10::str("Unknown dtype ", wanted));
}

ReadPlan to_read_plan(const Napi::Object& from) {
  ReadPlan plan{string(from, "path"), integer(from, "fileBytes"), boolean(from, "bigEndian"), {}, {}};
  const Napi::Array storages = array(from, "storages");
  for (uint32_t i = 0; i < storages.Length(); ++i) {
    const Napi::Object item = storages.Get(i).As<Napi::Object>();
    plan.storages.push_back({string(item, "name"), integer(item, "header"), integer(item, "bytes"),
                             static_cast<uint32_t>(integer(item, "crc")), integer(item, "limit")});
  }
  const Napi::Array tensors = array(from, "tensors");
  for (uint32_t i = 0; i < tensors.Length(); ++i) {
    const Napi::Object item = tensors.Get(i).As<Napi::Object>();
    plan.tensors.push_back({string(item, "name"), parse_dtype(string(item, "dtype")), integers(item, "shape"),
                            integers(item, "stride"), integer(item, "offset"),
                            static_cast<size_t>(integer(item, "storage"))});
  }
  return plan;
}

Napi::Value read(const Napi::CallbackInfo& call) {
  using Read = std::shared_ptr<const StateDict>;
  return PromiseWorker<Read>::start(
      call.Env(), [plan = to_read_plan(call[0].As<Napi::Object>())] { return read_state(plan); },
      [](Napi::Env env, Read& state) { return Handle<StateDict>::make(env, state, bytes_of(*state)); });
}

Napi::Value write(const Napi::CallbackInfo& call) {
  auto state = Handle<StateDict>::open(call[0]);
  const Napi::Object plan = call[1].As<Napi::Object>();
  const auto pickle = plan.Get("pickle").As<Napi::Uint8Array>();
  std::string bytes(reinterpret_cast<const char*>(pickle.Data()), pickle.ByteLength());
  struct Nothing {};
  return PromiseWorker<Nothing>::start(
      call.Env(),
      [state, path = string(plan, "path"), bytes = std::move(bytes)] {
        write_state(*state, path, bytes);
        return Nothing{};
      },
      [](Napi::Env env, Nothing&) { return env.Undefined(); });
}

Napi::Array to_array(Napi::Env env, at::IntArrayRef values) {
  Napi::Array result = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) result[i] = Napi::Number::New(env, static_cast<double>(values[i]));
  return result;
}

Napi::Value info(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  const auto state = Handle<StateDict>::open(call[0]);
  std::unordered_map<const c10::StorageImpl*, uint32_t> storages;
  Napi::Array list = Napi::Array::New(env, state->size());
  for (uint32_t i = 0; i < state->size(); ++i) {
    const auto& [name, tensor] = (*state)[i];
    const auto first_use = storages.emplace(tensor.storage().unsafeGetStorageImpl(), storages.size()).first;
    Napi::Object item = Napi::Object::New(env);
    item["name"] = name;
    item["dtype"] = name_of(tensor.scalar_type());
    item["shape"] = to_array(env, tensor.sizes());
    item["stride"] = to_array(env, tensor.strides());
    item["offset"] = tensor.storage_offset();
    item["storage"] = first_use->second;
    item["storageBytes"] = static_cast<double>(tensor.storage().nbytes());
    list[i] = item;
  }
  return list;
}

Napi::Value copy_tensor(const Napi::CallbackInfo& call) {
  const auto state = Handle<StateDict>::open(call[0]);
  const uint32_t index = call[1].As<Napi::Number>().Uint32Value();
  check(index < state->size(), "ERR_INVALID_OPTION", "The state has no tensor number ", index);
  const at::Tensor tensor = (*state)[index].tensor.contiguous();
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(call.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.const_data_ptr(), tensor.nbytes());
  return buffer;
}

// Bits, not numbers: a NaN equals itself and 0 differs from -0.
bool equal_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const at::Tensor x = a.contiguous(), y = b.contiguous();
  return x.nbytes() == 0 || std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

Napi::Value equal(const Napi::CallbackInfo& call) {
  const auto a = Handle<StateDict>::open(call[0]), b = Handle<StateDict>::open(call[1]);
  const bool same = std::equal(a->begin(), a->end(), b->begin(), b->end(), [](const auto& x, const auto& y) {
    return x.name == y.name && equal_bits(x.tensor, y.tensor);
  });
  return Napi::Boolean::New(call.Env(), same);
}

Napi::Value dispose(const Napi::CallbackInfo& call) {
  Handle<StateDict>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_states(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "readState", read);
  export_function(env, exports, "writeState", write);
  export_function(env, exports, "stateInfo", info);
  export_function(env, exports, "stateTensor", copy_tensor);
  export_function(env, exports, "statesEqual", equal);
  export_function(env, exports, "disposeState", dispose);
}

}  // namespace incremental
