// Writes a state dict as torch.save does: the same records in the same order, at the same places in the file.
#pragma once
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"

namespace incremental {

// The storages of a state in the order in which its tensors first use them.
std::vector<at::Storage> storages_of(const StateDict& state);

// `pickle`: the finished data.pkl. Throws ERR_FILE where the disk does not take it all.
void write_state(const StateDict& state, const std::string& path, const std::string& pickle);

}  // namespace incremental
