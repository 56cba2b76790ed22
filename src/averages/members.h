// The averages, each whole in the file of its name; averages.cc has the list of all.
#pragma once
#include <memory>

#include "src/averages/average.h"

namespace incremental {

using MakeAverage = std::unique_ptr<Average>(const Choice& choice);

MakeAverage make_ema;
MakeAverage make_swa;

}  // namespace incremental
