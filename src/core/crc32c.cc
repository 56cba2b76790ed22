#include "src/core/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace incremental {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reversed

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}

uint32_t by_table(const unsigned char* data, size_t bytes, uint32_t value) {
  static constexpr std::array<uint32_t, 256> kTable = make_table();
  for (size_t i = 0; i < bytes; ++i) value = (value >> 8) ^ kTable[(value ^ data[i]) & 0xff];
  return value;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(const unsigned char* data, size_t bytes, uint32_t value) {
  uint64_t wide = value;
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<uint32_t>(wide);
  for (; bytes > 0; ++data, --bytes) narrow = _mm_crc32_u8(narrow, *data);
  return narrow;
}

bool has_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
uint32_t by_instruction(const unsigned char* data, size_t bytes, uint32_t value) {
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    value = __crc32cd(value, word);
  }
  for (; bytes > 0; ++data, --bytes) value = __crc32cb(value, *data);
  return value;
}

constexpr bool has_instruction() { return true; }
#else
uint32_t by_instruction(const unsigned char* data, size_t bytes, uint32_t value) {
  return by_table(data, bytes, value);
}

constexpr bool has_instruction() { return false; }
#endif

}  // namespace

uint32_t crc32c(uint32_t crc, const void* data, size_t bytes) {
  const auto* from = static_cast<const unsigned char*>(data);
  return ~(has_instruction() ? by_instruction(from, bytes, ~crc) : by_table(from, bytes, ~crc));
}

}  // namespace incremental
