// A data set in memory: every sample and its target. Immutable; shared by all jobs that read it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "src/core/file.h"
#include "src/core/libtorch.h"
#include "src/core/sample_form.h"

namespace incremental {

struct Dataset {
  std::vector<std::string> names;  // of the inputs
  std::vector<at::Tensor> inputs;  // [sample, …] each: uint8, int32, int64 or float32; contiguous
  at::Tensor targets;              // [sample, …]: see TargetForm; undefined where the samples have none
  TargetForm target;

  int64_t samples() const { return inputs.front().size(0); }
  std::vector<InputForm> forms() const;
  int64_t bytes() const;
};

// `targets`: [sample, …] int32 or float32; undefined where `form` has the kind kNone. Throws ERR_DATA_FORMAT
// where the inputs or the targets are not of one number of samples, or a target is not what `form` says.
Dataset dataset_from_arrays(std::vector<std::string> names, std::vector<at::Tensor> inputs, const at::Tensor& targets,
                            TargetForm form);

// The same of targets alone, as a data set holds them: int64 or float32.
at::Tensor checked_targets(const at::Tensor& targets, const TargetForm& form, int64_t samples);

// A run of records in a file: each a label byte followed by the elements of one sample, or the elements alone.
struct RecordFile {
  std::shared_ptr<const File> file;
  int64_t bytes = 0;   // size of the file when it was looked at
  int64_t offset = 0;  // where the first record starts
  int64_t count = 0;
  std::vector<int32_t> labels;  // one for each record where the records hold none
  bool labelled = true;         // whether the records hold labels
};

// Reads uint8 samples of `shape` and their classes from all files, in order. Throws ERR_FILE where one cannot be read
// and ERR_DATA_FORMAT where it is not what it was said to be.
Dataset dataset_from_records(const std::vector<RecordFile>& files, std::string name, const std::vector<int64_t>& shape,
                             int64_t classes);

// Samples start … end-1 of another set, in its memory.
Dataset subset_of(const Dataset& dataset, int64_t start, int64_t end);

}  // namespace incremental
