// Validation within a training: a forward pass over other data after an epoch, and the verdict on its result. Metrics
// are computed from it in JavaScript, so the verdict comes from there while the training waits.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>

#include "src/train/report.h"

namespace incremental {

struct Verdict {
  bool stops = false;  // the training ends here
  bool keeps = false;  // the weights are the best so far, and are kept
  std::optional<double> monitored;
};

class Verdicts {
 public:
  // By the JavaScript thread, once for each validation that was reported.
  void give(const Verdict& verdict);

  // By the training's thread. Throws ERR_CANCELLED where the job is cancelled meanwhile.
  Verdict wait(const Cancelled& cancelled);

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<Verdict> verdict_;
};

}  // namespace incremental
