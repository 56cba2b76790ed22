// Checksums and a lock on a folder, for lib/online/storage/.
#include "src/core/crc32c.h"
#include "src/core/folder_lock.h"
#include "src/napi/convert.h"
#include "src/napi/exports.h"
#include "src/napi/handle.h"

namespace incremental {
namespace {

// Of several buffers as of one: (buffers) → number.
Napi::Value checksum(const Napi::CallbackInfo& call) {
  check(call[0].IsArray(), "ERR_INVALID_OPTION", "Expected an array of Uint8Arrays");
  const Napi::Array buffers = call[0].As<Napi::Array>();
  uint32_t value = 0;
  for (uint32_t i = 0; i < buffers.Length(); ++i) {
    const Napi::Value buffer = buffers.Get(i);
    check(buffer.IsTypedArray() && buffer.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array,
          "ERR_INVALID_OPTION", "Expected an array of Uint8Arrays");
    const auto bytes = buffer.As<Napi::Uint8Array>();
    value = crc32c(value, bytes.Data(), bytes.ByteLength());
  }
  return Napi::Number::New(call.Env(), value);
}

Napi::Value lock_file(const Napi::CallbackInfo& call) {
  check(call[0].IsString() && call[1].IsString(), "ERR_INVALID_OPTION", "Expected a path and an owner");
  auto lock = std::make_shared<const FolderLock>(call[0].As<Napi::String>().Utf8Value(),
                                                 call[1].As<Napi::String>().Utf8Value());
  return Handle<FolderLock>::make(call.Env(), std::move(lock), 0);
}

Napi::Value unlock_file(const Napi::CallbackInfo& call) {
  Handle<FolderLock>::of(call[0]).release(call.Env());
  return call.Env().Undefined();
}

}  // namespace

void export_journal(Napi::Env env, Napi::Object exports) {
  export_function(env, exports, "crc32c", checksum);
  export_function(env, exports, "lockFile", lock_file);
  export_function(env, exports, "unlockFile", unlock_file);
}

}  // namespace incremental
