// States from plans and to files, and what JavaScript may ask of them. Reading and writing happen on libuv's pool.
#include <cmath>
#include <cstring>
#include <limits>

#include "src/checkpoint/read.h"
#include "src/checkpoint/write.h"
#include "src/core/error.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"
#include "src/napi/promise_worker.h"
#include "src/state/dtypes.h"
#include "src/state/stats.h"

namespace incremental {
namespace {

std::string to_bytes(const Napi::Value& value, const char* key) {
  check(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array, "ERR_INVALID_OPTION",
        "Expected a Uint8Array for \"", key, "\" of a plan");
  const auto bytes = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

StoredStorage to_storage(const Napi::Object& from) {
  StoredStorage storage{integer(from, "offset"), integer(from, "bytes"), boolean(from, "bigEndian"), {}, {}};
  if (integer(from, "crc32") >= 0) storage.crc32 = integer<uint32_t>(from, "crc32");
  const Napi::Value unpacked = own(from, "unpacked");
  if (!unpacked.IsUndefined()) storage.unpacked = to_bytes(unpacked, "unpacked");
  return storage;
}

StoredTensor to_tensor(const Napi::Object& from) {
  return {string(from, "name"),    dtype_named(string(from, "dtype")),
          integers(from, "shape"), integers(from, "stride"),
          integer(from, "offset"), integer(from, "storage")};
}

template <class Item>
std::vector<Item> to_list(const Napi::Array& from, Item (*convert)(const Napi::Object&)) {
  std::vector<Item> list;
  list.reserve(from.Length());
  for (uint32_t i = 0; i < from.Length(); ++i) {
    Napi::HandleScope scope(from.Env());
    const Napi::Value item = from.Get(i);
    check(item.IsObject(), "ERR_INVALID_OPTION", "Expected objects in a list of a plan");
    list.push_back(convert(item.As<Napi::Object>()));
  }
  return list;
}

ReadPlan to_read_plan(const Napi::Object& from) {
  ReadPlan plan{string(from, "path"),
                to_file(from),
                integer(from, "fileBytes"),
                to_list(array(from, "storages"), to_storage),
                {}};
  const Napi::Array parts = array(from, "parts");
  for (uint32_t i = 0; i < parts.Length(); ++i) {
    check(parts.Get(i).IsArray(), "ERR_INVALID_OPTION", "Expected lists of tensors for \"parts\" of a plan");
    plan.parts.push_back(to_list(parts.Get(i).As<Napi::Array>(), to_tensor));
  }
  return plan;
}

// Names, and for each the number of a storage or a Uint8Array.
std::vector<Record> to_records(const Napi::Object& from) {
  const std::vector<std::string> names = strings(from, "names");
  const Napi::Array contents = array(from, "contents");
  check(contents.Length() == names.size(), "ERR_INVALID_OPTION", "Expected contents for ", names.size(),
        " records of a plan but received ", contents.Length());
  std::vector<Record> records;
  records.reserve(names.size());
  for (uint32_t i = 0; i < contents.Length(); ++i) {
    Napi::HandleScope scope(from.Env());
    const Napi::Value content = contents[i];
    if (content.IsNumber()) {
      const double index = content.As<Napi::Number>().DoubleValue();
      check(index >= 0 && index <= std::numeric_limits<int32_t>::max() && std::trunc(index) == index,
            "ERR_INVALID_OPTION", "Expected numbers of storages for \"contents\" of a plan but received ", index);
      records.push_back({names[i], static_cast<int64_t>(index)});
    } else {
      records.push_back({names[i], to_bytes(content, "contents")});
    }
  }
  return records;
}

WritePlan to_write_plan(const Napi::Object& from) {
  return {string(from, "path"), integer<uint32_t>(from, "mode"), string(from, "archive"), to_records(from)};
}

Napi::Value read(const Napi::CallbackInfo& call) {
  using Result = std::vector<StateDict>;
  return PromiseWorker<Result>::start(
      call.Env(), [plan = to_read_plan(call[0].As<Napi::Object>())] { return read_states(plan); },
      [](Napi::Env env, Result& states) {
        Napi::Array handles = Napi::Array::New(env, states.size());
        for (uint32_t i = 0; i < states.size(); ++i) {
          const int64_t bytes = bytes_of(states[i]);
          handles[i] = Handle<StateDict>::make(env, std::make_shared<const StateDict>(std::move(states[i])), bytes);
        }
        return handles;
      });
}

struct Nothing {};

Napi::Value write(const Napi::CallbackInfo& call) {
  return PromiseWorker<Nothing>::start(
      call.Env(),
      [states = to_states(call[0]), plan = to_write_plan(call[1].As<Napi::Object>())] {
        write_states(states, plan);
        return Nothing{};
      },
      [](Napi::Env env, Nothing&) { return env.Undefined(); });
}

Napi::Value write_plain(const Napi::CallbackInfo& call) {
  const auto from = call[1].As<Napi::Object>();
  const WriteTensorsPlan plan{string(from, "path"), integer<uint32_t>(from, "mode"),
                              to_bytes(own(from, "header"), "header"), integers(from, "tensors")};
  return PromiseWorker<Nothing>::start(
      call.Env(),
      [state = Handle<StateDict>::open(call[0]), plan] {
        write_tensors(*state, plan);
        return Nothing{};
      },
      [](Napi::Env env, Nothing&) { return env.Undefined(); });
}

Napi::Array to_array(Napi::Env env, at::IntArrayRef values) {
  Napi::Array result = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) result[i] = static_cast<double>(values[i]);
  return result;
}

Napi::Object info_of(Napi::Env env, const NamedTensor& item, size_t number, const at::Storage& storage) {
  const auto& [name, tensor] = item;
  Napi::Object info = Napi::Object::New(env);
  info["name"] = name;
  info["dtype"] = name_of(tensor.scalar_type());
  info["shape"] = to_array(env, tensor.sizes());
  info["stride"] = to_array(env, tensor.strides());
  info["offset"] = static_cast<double>(tensor.storage_offset());
  info["storage"] = static_cast<double>(number);
  info["storageBytes"] = static_cast<double>(storage.nbytes());
  return info;
}

Napi::Value state_info(const Napi::CallbackInfo& call) {
  const States states = to_states(call[0]);
  const Storages storages = storages_of(states);
  Napi::Array lists = Napi::Array::New(call.Env(), states.size());
  size_t tensor = 0;
  for (uint32_t i = 0; i < states.size(); ++i) {
    Napi::Array infos = Napi::Array::New(call.Env(), states[i]->size());
    for (uint32_t j = 0; j < states[i]->size(); ++j) {
      Napi::HandleScope scope(call.Env());
      const size_t number = storages.of_tensor[tensor++];
      infos[j] = info_of(call.Env(), (*states[i])[j], number, storages.list[number]);
    }
    lists[i] = infos;
  }
  return lists;
}

// Made by JavaScript's own constructor, which throws where there is no memory: Napi::ArrayBuffer::New ends the process.
Napi::ArrayBuffer new_buffer(Napi::Env env, size_t bytes) {
  try {
    const auto constructor = env.Global().Get("ArrayBuffer").As<Napi::Function>();
    return constructor.New({Napi::Number::New(env, static_cast<double>(bytes))}).As<Napi::ArrayBuffer>();
  } catch (const Napi::Error&) {
    throw Error("ERR_OUT_OF_MEMORY", "There is no memory for a copy of " + std::to_string(bytes) + " bytes");
  }
}

Napi::Value state_tensor(const Napi::CallbackInfo& call) {
  const auto state = Handle<StateDict>::open(call[0]);
  const double index = call[1].IsNumber() ? call[1].As<Napi::Number>().DoubleValue() : -1;
  check(index >= 0 && index < static_cast<double>(state->size()), "ERR_INVALID_OPTION", "A state of ", state->size(),
        " tensors has no tensor ", index);
  const at::Tensor tensor = (*state)[static_cast<size_t>(index)].tensor.contiguous();
  Napi::ArrayBuffer bytes = new_buffer(call.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(bytes.Data(), tensor.const_data_ptr(), tensor.nbytes());
  return bytes;
}

Napi::Value state_stats(const Napi::CallbackInfo& call) {
  using Result = std::vector<TensorStats>;
  return PromiseWorker<Result>::start(
      call.Env(), [state = Handle<StateDict>::open(call[0])] { return stats_of(*state); },
      [](Napi::Env env, Result& stats) {
        Napi::Array list = Napi::Array::New(env, stats.size());
        for (uint32_t i = 0; i < stats.size(); ++i) {
          Napi::HandleScope scope(env);
          Napi::Object item = Napi::Object::New(env);
          item["min"] = stats[i].min;
          item["max"] = stats[i].max;
          item["mean"] = stats[i].mean;
          item["nan"] = static_cast<double>(stats[i].nan);
          item["infinite"] = static_cast<double>(stats[i].infinite);
          list[i] = item;
        }
        return list;
      });
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
  export_function(env, exports, "writeTensors", write_plain);
  export_function(env, exports, "stateInfo", state_info);
  export_function(env, exports, "stateTensor", state_tensor);
  export_function(env, exports, "stateStats", state_stats);
  export_function(env, exports, "statesEqual", states_equal);
  export_function(env, exports, "disposeState", dispose_state);
}

}  // namespace incremental
