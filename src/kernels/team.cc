#include "src/kernels/team.h"

#include <dlfcn.h>

#include <algorithm>

#include "src/core/libtorch.h"

namespace incremental {
namespace {

// at::parallel_for is a template that runs on one thread unless it is compiled with -fopenmp, and that would tie the
// addon to one OpenMP library. libtorch has one loaded, whose threads stay awake between operations: others beside them
// would take the cores from each other. GOMP_parallel is how GCC's code enters it; LLVM's and Intel's have it too.
struct OpenMp {
  void (*parallel)(void (*)(void*), void*, unsigned threads, unsigned flags);
  int (*thread)();
  int (*threads)();

  bool found() const { return parallel != nullptr && thread != nullptr && threads != nullptr; }
};

template <class Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

const OpenMp& open_mp() {
  static const OpenMp kFound = {find<void(void (*)(void*), void*, unsigned, unsigned)>("GOMP_parallel"),
                                find<int()>("omp_get_thread_num"), find<int()>("omp_get_num_threads")};
  return kFound;
}

struct Task {
  void (*work)(void*, int64_t);
  void* context;
  int64_t count;
};

}  // namespace

int64_t parts_for(int64_t elements) {
  constexpr int64_t kGrain = 32768;
  return std::clamp<int64_t>(elements / kGrain, 1, at::get_num_threads());
}

void run_on_team(int64_t count, void (*work)(void*, int64_t), void* context) {
  if (count < 2 || at::get_num_threads() < 2 || at::in_parallel_region() || !open_mp().found()) {
    for (int64_t i = 0; i < count; ++i) work(context, i);
    return;
  }
  Task task = {work, context, count};
  // 0 threads: as many as libtorch has set. Asking for another number makes GCC's library end and start threads.
  open_mp().parallel(
      [](void* data) {
        const Task& shared = *static_cast<const Task*>(data);
        for (int64_t i = open_mp().thread(); i < shared.count; i += open_mp().threads()) shared.work(shared.context, i);
      },
      &task, 0, 0);
}

}  // namespace incremental
