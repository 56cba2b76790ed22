// Opens shared libraries by absolute path before the addon is loaded, so that the addon finds libtorch already there:
// no RPATH, no LD_LIBRARY_PATH, one addon for every build of libtorch. Knows nothing of libtorch itself.
#include <dlfcn.h>
#include <node_api.h>

#include <cstdint>
#include <string>

namespace {

napi_value text(napi_env env, const char* value) {
  napi_value result;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

std::string argument(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return {};
  std::string result(length, '\0');
  napi_get_value_string_utf8(env, value, result.data(), length + 1, &length);
  return result;
}

// open(path, global) -> null, or what the dynamic linker said. Handles are kept: libtorch must never be closed.
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  bool global = false;
  napi_get_value_bool(env, arguments[1], &global);
  void* handle = dlopen(argument(env, arguments[0]).c_str(), RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (handle == nullptr) return text(env, dlerror());
  napi_value none;
  napi_get_null(env, &none);
  return none;
}

// abiVersion(path) -> the libtorch version an opened library reports, as a bigint (major<<56 | minor<<48 | …), or null.
napi_value abi_version(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_value result;
  napi_get_null(env, &result);
  void* handle = dlopen(argument(env, arguments[0]).c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return result;
  auto version = reinterpret_cast<uint64_t (*)()>(dlsym(handle, "aoti_torch_abi_version"));
  if (version != nullptr) napi_create_bigint_uint64(env, version(), &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  napi_create_function(env, "abiVersion", NAPI_AUTO_LENGTH, abi_version, nullptr, &function);
  napi_set_named_property(env, exports, "abiVersion", function);
  return exports;
}
