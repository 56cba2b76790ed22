#include "src/checkpoint/write.h"

#include "src/checkpoint/zip_writer.h"
#include "src/core/file.h"

namespace incremental {

void write_state(const StateDict& state, const WritePlan& plan) {
  File file = File::create(plan.path, plan.mode);
  ZipWriter zip(file, plan.archive);
  zip.add("data.pkl", plan.pickle);
  zip.add(".format_version", "1");
  zip.add(".storage_alignment", "64");
  zip.add("byteorder", "little");
  size_t key = 0;
  for (const at::Storage& storage : storages_of(state).list) {
    zip.add("data/" + std::to_string(key++), storage.data(), static_cast<int64_t>(storage.nbytes()));
  }
  zip.finish();
  file.sync();
}

}  // namespace incremental
