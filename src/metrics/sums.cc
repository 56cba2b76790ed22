#include "src/metrics/sums.h"

#include <map>
#include <string>
#include <utility>

#include "src/core/error.h"
#include "src/metrics/members.h"

namespace incremental {
namespace {

// The one list of sums.
const std::map<std::string, MakeSums*> kSums = {
    {"calibrationBins", make_calibration_bins},
    {"classCounts", make_class_counts},
    {"confusionCells", make_confusion_cells},
    {"errorSums", make_error_sums},
    {"probabilitySums", make_probability_sums},
    {"rankSums", make_rank_sums},
    {"topHits", make_top_hits},
};

}  // namespace

Predictions::Predictions(at::Tensor outputs, at::Tensor targets)
    : outputs_(std::move(outputs)), targets_(std::move(targets)) {}

const at::Tensor& Predictions::exact() const {
  if (!exact_.defined()) exact_ = outputs_.to(at::kDouble);
  return exact_;
}

const at::Tensor& Predictions::log_probabilities() const {
  if (!log_probabilities_.defined()) log_probabilities_ = at::log_softmax(exact(), 1);
  return log_probabilities_;
}

const at::Tensor& Predictions::finite() const {
  if (!finite_.defined()) finite_ = at::isfinite(outputs_.amax(1));
  return finite_;
}

void AdditiveSums::add(const Predictions& predictions) {
  const at::Tensor part = of(predictions).to(at::kDouble);
  state_ = state_.defined() ? state_ + part : part;
}

std::unique_ptr<Sums> make_sums(const Choice& choice, int64_t samples) {
  const auto found = kSums.find(choice.kind);
  check(found != kSums.end(), "ERR_INVALID_OPTION", "The addon has no sums of the kind \"", choice.kind, "\"");
  return found->second(choice, samples);
}

}  // namespace incremental
