// A data set in memory: every sample and its label. Immutable; shared by all jobs that read it.
#pragma once
#include <memory>
#include <vector>

#include "src/core/file.h"
#include "src/core/libtorch.h"

namespace incremental {

struct Dataset {
  at::Tensor inputs;  // [sample, channel, height, width] uint8, or [sample, …] float32; contiguous
  at::Tensor labels;  // [sample] int64, each in 0 … classes-1
  int64_t classes = 0;
};

// `inputs` is [sample, …]. Throws ERR_DATA_FORMAT where there are not as many labels or one is out of range.
Dataset dataset_from_arrays(at::Tensor inputs, const std::vector<int32_t>& labels, int64_t classes);

// A run of records in a file: each a label byte followed by the elements of one sample, or the elements alone.
struct RecordFile {
  std::shared_ptr<const File> file;
  int64_t bytes = 0;   // size of the file when it was looked at
  int64_t offset = 0;  // where the first record starts
  int64_t count = 0;
  std::vector<int32_t> labels;  // one for each record where the records hold none
  bool labelled = true;         // whether the records hold labels
};

// Reads uint8 samples of `shape` from all files, in order. Throws ERR_FILE where one cannot be read and ERR_DATA_FORMAT
// where it is not what it was said to be.
Dataset dataset_from_records(const std::vector<RecordFile>& files, std::vector<int64_t> shape, int64_t classes);

// Samples start … end-1 of another set, in its memory.
Dataset subset_of(const Dataset& dataset, int64_t start, int64_t end);

}  // namespace incremental
