#include "src/losses/axes.h"

#include <algorithm>

namespace incremental {
namespace {

constexpr const char* kRest = "...";

}  // namespace

bool AxisSizes::fit(const Axes& axes, at::IntArrayRef sizes) {
  const auto rest = std::find(axes.begin(), axes.end(), kRest);
  const auto front = static_cast<size_t>(rest - axes.begin());
  const size_t back = rest == axes.end() ? 0 : axes.size() - front - 1;
  if (sizes.size() < front + back || (rest == axes.end() && sizes.size() != front)) return false;
  std::map<std::string, int64_t> found = sizes_;
  const auto has = [&](const std::string& axis, int64_t size) {
    return found.emplace(axis, size).first->second == size;
  };
  for (size_t i = 0; i < front; ++i) {
    if (!has(axes[i], sizes[i])) return false;
  }
  for (size_t i = 1; i <= back; ++i) {
    if (!has(axes[axes.size() - i], sizes[sizes.size() - i])) return false;
  }
  if (rest != axes.end()) {
    const at::IntArrayRef between = sizes.slice(front, sizes.size() - front - back);
    if (rest_ && at::IntArrayRef(*rest_) != between) return false;
    rest_ = between.vec();
  }
  sizes_ = std::move(found);
  return true;
}

std::optional<int64_t> AxisSizes::size_of(const std::string& axis) const {
  const auto found = sizes_.find(axis);
  return found == sizes_.end() ? std::nullopt : std::optional<int64_t>(found->second);
}

std::string AxisSizes::text(const Axes& axes) const {
  std::string text;
  const auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  for (const std::string& axis : axes) {
    if (const auto size = size_of(axis)) {
      add(std::to_string(*size));
    } else if (axis != kRest) {
      add(axis);
    } else if (!rest_) {
      add("…");
    } else {
      for (const int64_t each : *rest_) add(std::to_string(each));
    }
  }
  return "[" + text + "]";
}

}  // namespace incremental
