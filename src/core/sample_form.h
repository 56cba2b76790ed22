// The form of samples: inputs with names and types, and a target. lib/core/sample-values.ts is the same for JavaScript.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct InputForm {
  std::string name;
  at::ScalarType dtype = at::kFloat;  // kByte, kInt, kLong or kFloat
  std::vector<int64_t> shape;         // of one sample
};

enum class TargetKind {
  kClass,    // int64: the index of a class
  kClasses,  // float32: 0 or 1 for each class
  kValues,   // float32
  kTokens,   // int64 of any shape: indices of classes, or kIgnoredToken
  kNone
};

struct TargetForm {
  TargetKind kind = TargetKind::kClass;
  std::vector<int64_t> shape = {};  // of one sample
  int64_t classes = 0;              // indices are below this; 0 for other targets

  bool holds_indices() const { return kind == TargetKind::kClass || kind == TargetKind::kTokens; }
  at::ScalarType dtype() const { return holds_indices() ? at::kLong : at::kFloat; }
};

// Counts as no class, as at::cross_entropy_loss has it by default.
constexpr int64_t kIgnoredToken = -100;

// The shape of `count` samples of `shape`.
inline std::vector<int64_t> batch_shape(int64_t count, std::vector<int64_t> shape) {
  shape.insert(shape.begin(), count);
  return shape;
}

}  // namespace incremental
