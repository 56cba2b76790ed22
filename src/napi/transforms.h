// Transforms as lib/transforms/index.ts writes them, into the core's form.
#pragma once
#include <napi.h>

#include <vector>

#include "src/transforms/pipeline.h"

namespace incremental {

// A list for each input of the samples.
std::vector<std::vector<Transform>> to_transforms(const Napi::Array& lists);

}  // namespace incremental
