#include "src/datasets/dataset.h"

#include "src/core/error.h"

namespace incremental {

Dataset dataset_from_arrays(at::Tensor inputs, const std::vector<int32_t>& labels, int64_t classes) {
  const int64_t samples = inputs.size(0);
  check(samples == static_cast<int64_t>(labels.size()), "ERR_DATA_FORMAT", "Expected one label for each of ", samples,
        " samples but received ", labels.size());
  at::Tensor wide = at::empty({samples}, at::kLong);
  int64_t* to = wide.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < samples; ++i) {
    check(labels[i] >= 0 && labels[i] < classes, "ERR_DATA_FORMAT", "Expected labels from 0 to ", classes - 1,
          " but labels[", i, "] is ", labels[i]);
    to[i] = labels[i];
  }
  return {std::move(inputs), std::move(wide), classes};
}

Dataset subset_of(const Dataset& dataset, int64_t start, int64_t end) {
  const int64_t samples = dataset.labels.size(0);
  check(start >= 0 && start <= end && end <= samples, "ERR_INVALID_OPTION", "Expected a subset within samples 0 to ",
        samples, " but received start ", start, " and end ", end);
  return {dataset.inputs.narrow(0, start, end - start), dataset.labels.narrow(0, start, end - start), dataset.classes};
}

}  // namespace incremental
