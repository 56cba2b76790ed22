#include "src/schedulers/group_rates.h"

#include <algorithm>

#include "src/core/error.h"

namespace incremental {
namespace {

template <class Kept>
auto find(Kept& kept, const std::string& name) {
  return std::find_if(kept.begin(), kept.end(), [&](const auto& entry) { return entry.first == name; });
}

}  // namespace

double GroupRates::get(const std::string& name) const {
  const auto found = find(kept, name);
  check(found != kept.end(), "ERR_STATE_FORMAT", "Expected ", name,
        " in each parameter group of the optimizer's state");
  return found->second;
}

void GroupRates::set(const std::string& name, double value) {
  const auto found = find(kept, name);
  if (found == kept.end()) {
    kept.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

void GroupRates::set_default(const std::string& name, double value) {
  if (find(kept, name) == kept.end()) kept.emplace_back(name, value);
}

}  // namespace incremental
