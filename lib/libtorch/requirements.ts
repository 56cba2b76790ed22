// Minimum requirements of libtorch and the addon, recorded only here. test/unit/doctor-system.test.mjs compares them with the
// symbol versions that the libraries need.

/** Version of the C library. */
export const glibcFloor = '2.28';

/** Version of the C++ library, as the newest symbol version that is needed: GCC 6's. */
export const libstdcxxFloor = '3.4.22';

/**
 * Instructions that libtorch's libraries use without checking: those of x86-64-v2 except cx16, which none of them uses. Named
 * as in /proc/cpuinfo; src/loader/loader.cc checks the same list.
 */
export const processorFloor = ['ssse3', 'sse4_1', 'sse4_2', 'popcnt'] as const;
