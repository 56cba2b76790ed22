#include "src/state/state_dict.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace incremental {

Storages storages_of(const States& states) {
  Storages storages;
  std::unordered_map<const c10::StorageImpl*, size_t> numbers;
  for (const auto& state : states) {
    for (const NamedTensor& item : *state) {
      const at::Storage& storage = item.tensor.storage();
      const auto [found, is_new] = numbers.try_emplace(storage.unsafeGetStorageImpl(), storages.list.size());
      if (is_new) storages.list.push_back(storage);
      storages.of_tensor.push_back(found->second);
    }
  }
  return storages;
}

int64_t bytes_of(const StateDict& state) {
  std::unordered_set<const c10::StorageImpl*> seen;
  int64_t bytes = 0;
  for (const NamedTensor& item : state) {
    const at::Storage& storage = item.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) bytes += static_cast<int64_t>(storage.nbytes());
  }
  return bytes;
}

bool bitwise_equal(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedTensor& left, const NamedTensor& right) {
    if (left.name != right.name || left.tensor.scalar_type() != right.tensor.scalar_type() ||
        left.tensor.sizes() != right.tensor.sizes()) {
      return false;
    }
    if (left.tensor.numel() == 0) return true;
    const at::Tensor left_bytes = left.tensor.contiguous();
    const at::Tensor right_bytes = right.tensor.contiguous();
    return std::memcmp(left_bytes.const_data_ptr(), right_bytes.const_data_ptr(), left_bytes.nbytes()) == 0;
  });
}

}  // namespace incremental
