// Losses as lib/losses/plan.ts writes them, into the core's form.
#pragma once
#include <napi.h>

#include <memory>

#include "src/losses/loss.h"

namespace incremental {

// Throws where its programs name operators that a model may not use, or draw random numbers.
std::shared_ptr<const LossPlan> to_loss(const Napi::Object& from);

}  // namespace incremental
