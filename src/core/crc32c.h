// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which guards journals: by the processor's own instruction where it has
// one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace incremental {

// The checksum of `bytes` bytes at `data`, continuing from `crc`, the checksum of the bytes before them; 0 to begin.
uint32_t crc32c(uint32_t crc, const void* data, size_t bytes);

}  // namespace incremental
