// Opens shared libraries by absolute path before the addon is loaded, so that the addon finds libtorch already there:
// no RPATH, no LD_LIBRARY_PATH, one addon for every build of libtorch. Knows nothing of libtorch itself.
#include <dlfcn.h>
#include <link.h>
#include <node_api.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
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

// Gives back the pages of code that the libraries' start-up has touched, 45 MB of libtorch: it registers its operators
// once. What is needed again is still in the system's cache of the file. Only code, which nothing has written to.
int forget_code(dl_phdr_info* library, size_t, void* known) {
  auto& count = *static_cast<size_t*>(known);
  // Libraries are listed in the order in which they were loaded; those loaded before are not ours.
  if (count > 0) {
    --count;
    return 0;
  }
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (size_t i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t start = (library->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    const uintptr_t end = (library->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
    if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
  }
  return 0;
}

int count_library(dl_phdr_info*, size_t, void* count) {
  ++*static_cast<size_t*>(count);
  return 0;
}

// open(path, global) -> null, or what the dynamic linker said. Handles are kept: libtorch must never be closed.
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  bool global = false;
  napi_get_value_bool(env, arguments[1], &global);
  size_t known = 0;
  dl_iterate_phdr(count_library, &known);
  void* handle = dlopen(argument(env, arguments[0]).c_str(), RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (handle == nullptr) return text(env, dlerror());
  dl_iterate_phdr(forget_code, &known);
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

// missingInstructions() -> names, as /proc/cpuinfo has them, of the instructions that libtorch uses without asking
// (x86-64-v2) and this processor does not have: it would end the process at the first of them.
napi_value missing_instructions(napi_env env, napi_callback_info) {
  napi_value missing;
  napi_create_array(env, &missing);
#if defined(__x86_64__)
  uint32_t count = 0;
  const auto need = [&](bool there, const char* name) {
    if (!there) napi_set_element(env, missing, count++, text(env, name));
  };
  __builtin_cpu_init();
  need(__builtin_cpu_supports("ssse3"), "ssse3");
  need(__builtin_cpu_supports("sse4.1"), "sse4_1");
  need(__builtin_cpu_supports("sse4.2"), "sse4_2");
  need(__builtin_cpu_supports("popcnt"), "popcnt");
#endif
  return missing;
}

// endWithParent(pid): this process is ended as soon as the one that started it, which has this pid, has ended. While a
// library is being opened no other code could see to that.
napi_value end_with_parent(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arguments[1];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  int64_t parent = 0;
  napi_get_value_int64(env, arguments[0], &parent);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE);  // the parent ended before this request
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  napi_create_function(env, "abiVersion", NAPI_AUTO_LENGTH, abi_version, nullptr, &function);
  napi_set_named_property(env, exports, "abiVersion", function);
  napi_create_function(env, "missingInstructions", NAPI_AUTO_LENGTH, missing_instructions, nullptr, &function);
  napi_set_named_property(env, exports, "missingInstructions", function);
  napi_create_function(env, "endWithParent", NAPI_AUTO_LENGTH, end_with_parent, nullptr, &function);
  napi_set_named_property(env, exports, "endWithParent", function);
  return exports;
}
