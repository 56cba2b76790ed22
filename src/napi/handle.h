// Handles: how JavaScript holds an immutable core value (a state, a data set). An External with a type tag, so that a
// handle of another kind, or of a second copy of this addon, is refused instead of read as the wrong type.
#pragma once
#include <napi.h>

#include <memory>
#include <utility>

#include "src/core/error.h"

namespace incremental {

// One tag per C++ type and per loaded addon: the address of a static is both.
template <class T>
const napi_type_tag& type_tag() {
  static const char anchor = 0;
  static const napi_type_tag tag = {reinterpret_cast<uintptr_t>(&anchor), 0x746f7263682d696eULL};
  return tag;
}

template <class T>
struct Handle {
  std::shared_ptr<const T> value;
  int64_t bytes;

  // `bytes`: native memory held, reported to the garbage collector, which sees only the small External otherwise.
  // While an environment closes no External can be made: the value is then freed here, and what it locks with it.
  static Napi::Value make(Napi::Env env, std::shared_ptr<const T> value, int64_t bytes) {
    auto handle = std::make_unique<Handle>(Handle{std::move(value), 0});
    auto external = Napi::External<Handle>::New(env, handle.get(), [](Napi::Env finalizing, Handle* raw) {
      const std::unique_ptr<Handle> owned(raw);
      owned->release(finalizing);
    });
    Handle* owned = handle.release();  // by the External
    external.TypeTag(&type_tag<T>());
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
    owned->bytes = bytes;
    return external;
  }

  static Handle& of(const Napi::Value& value) {
    check(value.IsExternal() && value.As<Napi::External<Handle>>().CheckTypeTag(&type_tag<T>()), "ERR_INVALID_OPTION",
          "Expected a handle of this library but received something else");
    return *value.As<Napi::External<Handle>>().Data();
  }

  static std::shared_ptr<const T> open(const Napi::Value& value) {
    Handle& handle = of(value);
    check(handle.value != nullptr, "ERR_DISPOSED", "This object was disposed and can no longer be used");
    return handle.value;
  }

  // Idempotent. Work that is still running keeps its own share of the value.
  void release(Napi::Env env) {
    if (!value) return;
    value.reset();
    if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
  }
};

}  // namespace incremental
