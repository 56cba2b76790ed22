#include "src/checkpoint/write.h"

#include "src/checkpoint/zip_writer.h"
#include "src/core/error.h"
#include "src/core/file.h"

namespace incremental {

void write_states(const States& states, const WritePlan& plan) {
  const Storages storages = storages_of(states);
  for (int64_t index : plan.storages) {
    check(index >= 0 && index < static_cast<int64_t>(storages.list.size()), "ERR_INVALID_OPTION",
          "A plan names storage ", index, " of ", storages.list.size());
  }
  File file = File::create(plan.path, plan.mode);
  ZipWriter zip(file, plan.archive);
  zip.add("data.pkl", plan.pickle);
  zip.add(".format_version", "1");
  zip.add(".storage_alignment", "64");
  zip.add("byteorder", "little");
  size_t key = 0;
  for (int64_t index : plan.storages) {
    const at::Storage& storage = storages.list[index];
    zip.add("data/" + std::to_string(key++), storage.data(), static_cast<int64_t>(storage.nbytes()));
  }
  zip.finish();
  file.sync();
}

void write_tensors(const StateDict& state, const WriteTensorsPlan& plan) {
  File file = File::create(plan.path, plan.mode);
  file.append(plan.header.data(), static_cast<int64_t>(plan.header.size()));
  for (int64_t index : plan.tensors) {
    check(index >= 0 && index < static_cast<int64_t>(state.size()), "ERR_INVALID_OPTION", "A plan names tensor ", index,
          " of ", state.size());
    const at::Tensor tensor = state[index].tensor.contiguous();
    if (tensor.nbytes() > 0) file.append(tensor.const_data_ptr(), static_cast<int64_t>(tensor.nbytes()));
  }
  file.sync();
}

}  // namespace incremental
