#include "src/state/extent.h"

#include <algorithm>

#include "src/core/error.h"

namespace incremental {
namespace {

constexpr size_t kMostDimensions = 64;

}  // namespace

int64_t extent_of(const std::string& name, at::IntArrayRef shape, at::IntArrayRef stride, int64_t offset) {
  check(shape.size() == stride.size() && shape.size() <= kMostDimensions && offset >= 0, "ERR_STATE_FORMAT", "\"", name,
        "\" has no valid shape, stride and offset");
  int64_t extent = 1;
  int64_t elements = 1;
  bool overflows = false;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const int64_t size = shape[axis];
    check(size >= 0 && stride[axis] >= 0, "ERR_STATE_FORMAT", "\"", name, "\" has a negative size or stride");
    int64_t reach = 0;
    overflows |= __builtin_mul_overflow(elements, size, &elements);
    overflows |= __builtin_mul_overflow(std::max<int64_t>(size - 1, 0), stride[axis], &reach);
    overflows |= __builtin_add_overflow(extent, reach, &extent);
  }
  overflows |= __builtin_add_overflow(extent, offset, &extent);
  check(!overflows, "ERR_STATE_FORMAT", "\"", name, "\" is larger than any memory");
  return elements == 0 ? 0 : extent;
}

}  // namespace incremental
