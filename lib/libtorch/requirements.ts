// The oldest system that libtorch and the addon run on. Here and nowhere else; test/unit/doctor-system.test.mjs compares
// the versions with what the libraries themselves ask for.

/** Of the C library. */
export const glibcFloor = '2.28';

/** Of the C++ library, as the newest version of its symbols that is asked for: GCC 6's. */
export const libstdcxxFloor = '3.4.22';

/**
 * Instructions that libtorch's libraries use without asking, those of x86-64-v2 but for cx16, which none of them has. By their
 * names in /proc/cpuinfo; src/loader/loader.cc asks the processor for the same.
 */
export const processorFloor = ['ssse3', 'sse4_1', 'sse4_2', 'popcnt'] as const;
