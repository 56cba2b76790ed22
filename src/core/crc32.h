// CRC-32 as zip archives use it (ISO 3309, reversed polynomial 0xEDB88320), eight bytes at a time.
#pragma once
#include <cstddef>
#include <cstdint>

namespace incremental {

// Of `bytes` bytes at `data`, continuing from `crc` of what stood before; 0 to begin.
uint32_t crc32(uint32_t crc, const void* data, size_t bytes);

}  // namespace incremental
