#include "src/checkpoint/write.h"

#include <caffe2/serialize/inline_container.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <unordered_set>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

// The record `_save` of torch/serialization.py puts between the pickle and the storages.
constexpr std::pair<const char*, const char*> kMarkers[] = {
    {".format_version", "1"}, {".storage_alignment", "64"}, {"byteorder", "little"}};

void write_records(const StateDict& state, const std::string& path, const std::string& pickle) {
  // Given a name, it takes the archive's top folder from it, as in torch.save.
  caffe2::serialize::PyTorchStreamWriter writer(path, /*compute_crc32=*/true, /*alignment=*/64);
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  for (const auto& [name, content] : kMarkers) writer.writeRecord(name, content, std::strlen(content));
  const std::vector<at::Storage> storages = storages_of(state);
  for (size_t i = 0; i < storages.size(); ++i) {
    writer.writeRecord("data/" + std::to_string(i), storages[i].data(), storages[i].nbytes());
  }
  writer.writeEndOfFile();
}

// The writer's stream is buffered, and a disk may fill up at its last flush, which nobody asks about.
bool has_end(const std::string& path) {
  constexpr int kEndBytes = 22;
  char end[kEndBytes] = {};
  std::ifstream file(path, std::ios::binary);
  file.seekg(-kEndBytes, std::ios::end).read(end, kEndBytes);
  return file.good() && std::memcmp(end, "PK\5\6", 4) == 0;
}

}  // namespace

std::vector<at::Storage> storages_of(const StateDict& state) {
  std::vector<at::Storage> storages;
  std::unordered_set<const c10::StorageImpl*> seen;
  for (const NamedTensor& item : state) {
    const at::Storage& storage = item.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) storages.push_back(storage);
  }
  return storages;
}

void write_state(const StateDict& state, const std::string& path, const std::string& pickle) {
  errno = 0;
  try {
    write_records(state, path, pickle);
  } catch (const c10::Error& error) {
    const int reason = errno;
    throw Error("ERR_FILE", c10::str("Cannot write ", path, ": ",
                                     reason != 0 ? std::strerror(reason) : error.what_without_backtrace()));
  }
  check(has_end(path), "ERR_FILE", "Cannot write ", path, ": ", std::strerror(errno != 0 ? errno : ENOSPC));
}

}  // namespace incremental
