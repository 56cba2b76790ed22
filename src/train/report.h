// Events that a running job reports. Plain values; src/napi/job.cc carries them to JavaScript.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "src/core/error.h"
#include "src/train/evaluation.h"
#include "src/train/snapshot.h"

namespace incremental {

struct Event {
  enum class Type { kStep, kLog, kEpoch, kValidation, kSnapshot };
  Type type;
  int64_t epoch;    // from 1
  int64_t step;     // within the epoch, from 1; of kEpoch: the epoch's number of steps
  double loss;      // of this step; of kEpoch: for each of the epoch's samples
  double seconds;   // since the run began; of kEpoch: since the epoch began
  int64_t samples;  // trained on since the run began; of kEpoch: in the epoch
  std::shared_ptr<const Evaluation> validation = nullptr;  // of kValidation, which else has the epoch alone
  std::shared_ptr<const Snapshot> snapshot = nullptr;      // of kSnapshot, which says nothing else
  std::vector<double> learning_rates = {};  // of the parameter groups in this step; of kEpoch: in the epoch's last
};

using Report = std::function<void(const Event&)>;
using Cancelled = std::atomic<bool>;

// Ends the job; the JavaScript side rejects with the signal's reason or with what its callback threw.
inline void stop_if(const Cancelled& cancelled) { check(!cancelled, "ERR_CANCELLED", "The job was cancelled"); }

}  // namespace incremental
