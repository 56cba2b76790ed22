// The makers of sums, each in the file of its name; sums.cc has the list of all.
#pragma once
#include <memory>

#include "src/metrics/sums.h"

namespace incremental {

using MakeSums = std::unique_ptr<Sums>(const Choice& choice, int64_t samples);

MakeSums make_calibration_bins;
MakeSums make_class_counts;
MakeSums make_confusion_cells;
MakeSums make_error_sums;
MakeSums make_probability_sums;
MakeSums make_rank_sums;
MakeSums make_top_hits;

}  // namespace incremental
