#include "src/kernels/simd_level.h"

#include <ATen/Version.h>

namespace incremental {

SimdLevel simd_level() {
  static const SimdLevel kLevel = [] {
    const std::string name = at::get_cpu_capability();
    return name == "AVX512" ? SimdLevel::kAvx512 : name == "AVX2" ? SimdLevel::kAvx2 : SimdLevel::kBaseline;
  }();
  return kLevel;
}

}  // namespace incremental
