// The seam, C++ side: one line per name that lib/native/native.ts declares.
#include <napi.h>

#include "src/core/memory.h"
#include "src/napi/exports.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  using namespace incremental;
  install_allocator();
  export_info(env, exports);
  export_datasets(env, exports);
  export_batches(env, exports);
  export_jobs(env, exports);
  export_initialisers(env, exports);
  export_journal(env, exports);
  export_programs(env, exports);
  export_learner(env, exports);
  export_schedulers(env, exports);
  export_states(env, exports);
  export_edited_states(env, exports);
  return exports;
}

NODE_API_MODULE(torch_incremental, init)
