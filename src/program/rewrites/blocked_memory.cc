#include "src/program/rewrites/blocked_memory.h"

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "src/kernels/team.h"

namespace incremental {
namespace {

// Channels that lie side by side for each pixel, as convolutions with AVX-512 and with AVX2 have them. 0: another
// layout.
constexpr int64_t kBlocks[] = {16, 8};
// Larger numbers are not all exact in float32.
constexpr int64_t kMostNumbered = int64_t{1} << 24;

// [sample, channel, pixel] as [sample, channel / block, pixel, channel % block].
int64_t blocked_index(int64_t index, int64_t channels, int64_t pixels, int64_t block) {
  const int64_t pixel = index % pixels, channel = index / pixels % channels, sample = index / pixels / channels;
  return ((sample * (channels / block) + channel / block) * pixels + pixel) * block + channel % block;
}

// How `tensor` is laid out, which oneDNN does not say: its memory is numbered through, and read as dense. Destroys its
// values.
int64_t find_block(const at::Tensor& tensor) {
  float* data = data_of(tensor);
  if (data == nullptr || tensor.dim() != 4 || tensor.numel() > kMostNumbered) return 0;
  for (int64_t i = 0; i < tensor.numel(); ++i) data[i] = static_cast<float>(i);
  const at::Tensor dense = tensor.to_dense();
  const float* numbers = dense.const_data_ptr<float>();
  const int64_t channels = tensor.size(1), pixels = tensor.size(2) * tensor.size(3);
  for (int64_t block : kBlocks) {
    if (channels % block != 0) continue;
    bool fits = true;
    for (int64_t i = 0; i < tensor.numel() && fits; ++i) {
      fits = numbers[i] == static_cast<float>(blocked_index(i, channels, pixels, block));
    }
    if (fits) return block;
  }
  return 0;
}

// Four floats in one register, on every processor that libtorch runs on.
using Float4 = float __attribute__((vector_size(16)));

Float4 load(const float* from) {
  Float4 value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void store(float* to, Float4 value) { std::memcpy(to, &value, sizeof(value)); }

// Four pixels of four channels change from rows of pixels to pixels of channels.
void transpose(const float* from, int64_t pixels, float* to, int64_t block) {
  const Float4 a = load(from), b = load(from + pixels), c = load(from + 2 * pixels), d = load(from + 3 * pixels);
  const Float4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Float4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  store(to + block, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  store(to + 2 * block, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store(to + 3 * block, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

// `block` channels of one sample.
void write_blocked(const float* from, float* to, int64_t pixels, int64_t block) {
  int64_t pixel = 0;
  for (; pixel + 4 <= pixels; pixel += 4) {
    for (int64_t channel = 0; channel < block; channel += 4) {
      transpose(from + channel * pixels + pixel, pixels, to + pixel * block + channel, block);
    }
  }
  for (; pixel < pixels; ++pixel) {
    for (int64_t channel = 0; channel < block; ++channel) {
      to[pixel * block + channel] = from[channel * pixels + pixel];
    }
  }
}

}  // namespace

float* data_of(const at::Tensor& tensor) {
  at::Tensor copy = tensor;
  void* data = nullptr;
  const bool known = aoti_torch_get_data_ptr(reinterpret_cast<AtenTensorHandle>(&copy), &data) == AOTI_TORCH_SUCCESS;
  return known ? static_cast<float*>(data) : nullptr;
}

// Once for each shape: the layout belongs to the shape and the processor.
int64_t block_of(const at::Tensor& tensor) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, int64_t> known;
  std::lock_guard lock(mutex);
  const auto [found, is_new] = known.try_emplace(tensor.sizes().vec(), 0);
  if (is_new) found->second = find_block(tensor);
  return found->second;
}

void copy_into_blocked(const at::Tensor& dense, float* to, int64_t block) {
  const float* from = dense.const_data_ptr<float>();
  const int64_t pixels = dense.size(2) * dense.size(3), size = block * pixels;
  const int64_t blocks = dense.numel() / size, parts = std::min<int64_t>(blocks, at::get_num_threads());
  on_team(parts, [&](int64_t part) {
    for (int64_t i = blocks * part / parts; i < blocks * (part + 1) / parts; ++i) {
      write_blocked(from + i * size, to + i * size, pixels, block);
    }
  });
}

}  // namespace incremental
