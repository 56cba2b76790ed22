// CRC-32 as zip archives use it (ISO 3309, reversed polynomial 0xEDB88320).
#pragma once
#include <cstddef>
#include <cstdint>

namespace incremental {

// Of `bytes` bytes at `data`, continuing from `crc`, the checksum of the bytes before them; 0 to begin.
uint32_t crc32(uint32_t crc, const void* data, size_t bytes);

// The checksum of two runs of bytes, the second directly after the first, from the checksums of both.
uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t second_bytes);

}  // namespace incremental
