// The sums of all metrics of a pass over data, batch by batch.
#pragma once
#include <memory>
#include <vector>

#include "src/core/choice.h"
#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
#include "src/metrics/sums.h"

namespace incremental {

class Metrics {
 public:
  // `sums`: as lib/metrics/ lists them for the metrics that are wanted. `samples`: how many will be added.
  Metrics(const std::vector<Choice>& sums, TargetForm target, int64_t samples);

  // Adds a batch: `outputs` and `targets` [sample, …] on one device. Throws ERR_SHAPE unless there is an output for
  // each class, or for each number of a target.
  void add(const at::Tensor& outputs, const at::Tensor& targets);

  // For each of the sums [number] float64 on the CPU; at least one batch was added.
  std::vector<at::Tensor> states() const;

 private:
  TargetForm target_;
  std::vector<std::unique_ptr<Sums>> sums_;
};

}  // namespace incremental
