#include <map>
#include <string>

#include "src/averages/members.h"
#include "src/core/error.h"

namespace incremental {
namespace {

// The one list of averages.
const std::map<std::string, MakeAverage*> kAverages = {
    {"ema", make_ema},
    {"swa", make_swa},
};

}  // namespace

void Average::restore(const std::vector<at::Tensor>& averaged, int64_t count) {
  at::NoGradGuard no_grad;
  averaged_.clear();
  averaged_.reserve(averaged.size());
  for (const at::Tensor& weight : averaged) averaged_.push_back(weight.clone());
  count_ = count;
}

void Average::add(const std::vector<at::Tensor>& weights) {
  if (count_ == 0) return restore(weights, 1);
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < weights.size(); ++i) average(averaged_[i], weights[i]);
  ++count_;
}

std::unique_ptr<Average> make_average(const Choice& choice) {
  if (choice.kind.empty()) return nullptr;
  const auto found = kAverages.find(choice.kind);
  check(found != kAverages.end(), "ERR_INVALID_OPTION", "The addon has no average of the kind \"", choice.kind, "\"");
  return found->second(choice);
}

}  // namespace incremental
