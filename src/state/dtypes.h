// The dtypes that a state can hold, and their names in plans: PyTorch's without `torch.`. lib/checkpoint/dtypes.ts has
// the same list.
#pragma once
#include <string>

#include "src/core/libtorch.h"

namespace incremental {

// ERR_STATE_FORMAT for a name that is not in the list.
at::ScalarType dtype_named(const std::string& name);
const char* name_of(at::ScalarType dtype);

}  // namespace incremental
