// Initialisers as lib/program/module.ts writes them.
#pragma once
#include <napi.h>

#include "src/state/create.h"

namespace incremental {

Initialiser to_initialiser(const Napi::Object& from);

}  // namespace incremental
