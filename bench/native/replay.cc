// Nanoseconds to offer a sample to a full replay buffer, after few samples and after many. Prints one JSON line; run by
// bench/replay.mjs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "src/replay/replay.h"

using namespace incremental;

namespace {

constexpr int64_t kCapacity = 500, kClasses = 10, kRun = 100;

double offer(Replay& replay, const at::Tensor& sample, at::CPUGeneratorImpl& generator, int64_t count) {
  const std::vector<const void*> inputs{sample.const_data_ptr()};
  const auto started = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = (i * 7) % kClasses;
    replay.add(inputs, &label, generator);
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - started;
  return taken.count() / static_cast<double>(count);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void measure(const char* name, ReplayPolicy policy) {
  const at::Tensor sample = at::ones({3, 32, 32}, at::kByte);
  at::CPUGeneratorImpl generator(1);
  Replay replay({policy, kCapacity, 0}, {{"input", at::kByte, {3, 32, 32}}}, {TargetKind::kClass, {}, kClasses});
  std::vector<double> early, late;
  int64_t seen = kCapacity;
  offer(replay, sample, generator, seen);
  // Around 1,000 and around 1,000,000 seen: the same number of samples each.
  for (; seen < 2000; seen += kRun) early.push_back(offer(replay, sample, generator, kRun));
  offer(replay, sample, generator, 1000000 - seen);
  for (int i = 0; i < 15; ++i) late.push_back(offer(replay, sample, generator, kRun));
  std::printf("\"%s\": {\"early\": %.1f, \"late\": %.1f}", name, median(early), median(late));
}

}  // namespace

int main() {
  std::printf("{");
  measure("reservoir", ReplayPolicy::kReservoir);
  std::printf(", ");
  measure("classBalanced", ReplayPolicy::kClassBalanced);
  std::printf("}\n");
  return 0;
}
