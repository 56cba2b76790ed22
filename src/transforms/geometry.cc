#include "src/transforms/geometry.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/core/error.h"

namespace incremental {

MakeGeometry find_geometry(const std::string& kind) {
  static const std::pair<const char*, MakeGeometry> makers[] = {
      {"randomHorizontalFlip", make_horizontal_flip},
      {"randomVerticalFlip", make_vertical_flip},
      {"randomRotation", make_rotation},
      {"randomCrop", make_crop},
      {"centerCrop", make_center_crop},
  };
  for (const auto& [name, make] : makers) {
    if (kind == name) return make;
  }
  return nullptr;
}

std::span<const double> numbers_of(const Transform& transform, size_t count) {
  const std::vector<double>& numbers = transform.numbers;
  const bool finite = std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); });
  check(numbers.size() == count && finite, "ERR_INVALID_OPTION", "Expected ", count, " finite numbers for ",
        transform.kind, " but received ", numbers.size(), finite ? "" : ", not all finite");
  return numbers;
}

}  // namespace incremental
