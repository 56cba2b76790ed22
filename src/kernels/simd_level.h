// Chooses the compiled variant of a kernel that runs on this processor.
#pragma once

namespace incremental {

enum class SimdLevel { kBaseline, kAvx2, kAvx512 };

// As libtorch decides for its own kernels, ATEN_CPU_CAPABILITY included.
SimdLevel simd_level();

// The variant for this processor. The others are only named where they are compiled.
#ifdef SIMD_X86
#define SIMD_VARIANT(name)                                                         \
  (::incremental::simd_level() == ::incremental::SimdLevel::kAvx512 ? avx512::name \
   : ::incremental::simd_level() == ::incremental::SimdLevel::kAvx2 ? avx2::name   \
                                                                    : baseline::name)
#else
#define SIMD_VARIANT(name) baseline::name
#endif

}  // namespace incremental
