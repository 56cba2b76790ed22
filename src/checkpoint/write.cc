#include "src/checkpoint/write.h"

#include "src/checkpoint/zip_writer.h"
#include "src/core/error.h"
#include "src/core/file.h"

namespace incremental {

void write_states(const States& states, const WritePlan& plan) {
  const Storages storages = storages_of(states);
  for (const Record& record : plan.records) {
    check(plan.archive.size() + record.name.size() < ZipWriter::kMostNameBytes, "ERR_INVALID_OPTION",
          "A plan names a record by ", record.name.size(), " bytes");
    const auto* index = std::get_if<int64_t>(&record.content);
    check(!index || (*index >= 0 && *index < static_cast<int64_t>(storages.list.size())), "ERR_INVALID_OPTION",
          "A plan names storage ", index ? *index : 0, " of ", storages.list.size());
  }
  File file = File::create(plan.path, plan.mode);
  ZipWriter zip(file, plan.archive);
  for (const Record& record : plan.records) {
    if (const auto* index = std::get_if<int64_t>(&record.content)) {
      const at::Storage& storage = storages.list[*index];
      zip.add(record.name, storage.data(), static_cast<int64_t>(storage.nbytes()));
    } else {
      zip.add(record.name, std::get<std::string>(record.content));
    }
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
