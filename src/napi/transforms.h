// Transforms as lib/transforms/index.ts writes them, into the core's form.
#pragma once
#include <napi.h>

#include <vector>

#include "src/transforms/pipeline.h"

namespace incremental {

std::vector<Transform> to_transforms(const Napi::Array& values);

}  // namespace incremental
