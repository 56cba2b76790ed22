// Cost of the kernels of src/kernels and of ATen's for the same passes, in turns in one process. Built and run
// by bench/kernels.mjs; prints one JSON line for each shape and pass: medians and minima in milliseconds.
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "src/core/memory.h"
#include "src/kernels/skinny_linear.h"
#include "src/kernels/winograd.h"

using namespace incremental;

namespace {

using Operation = std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

double milliseconds(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void compare(const std::string& name, const char* pass, int rounds, const std::function<void()>& aten,
             const std::function<void()>& ours) {
  std::vector<double> theirs_taken, ours_taken;
  for (int round = -3; round < rounds; ++round) {
    const double theirs = milliseconds(aten), own = milliseconds(ours);
    if (round < 0) continue;
    theirs_taken.push_back(theirs);
    ours_taken.push_back(own);
  }
  std::sort(theirs_taken.begin(), theirs_taken.end());
  std::sort(ours_taken.begin(), ours_taken.end());
  std::printf(
      "{\"shape\": \"%s\", \"pass\": \"%s\", \"aten\": %.4f, \"ours\": %.4f, \"atenMin\": %.4f, \"oursMin\": %.4f}\n",
      name.c_str(), pass, theirs_taken[rounds / 2], ours_taken[rounds / 2], theirs_taken[0], ours_taken[0]);
  std::fflush(stdout);
}

// One pass backwards of an operation: its graph is kept, and only the gradients of `wanted` are asked for.
std::function<void()> backwards(const Operation& operation, at::Tensor input, at::Tensor weight, at::Tensor bias,
                                bool weights) {
  input = input.detach().requires_grad_(!weights);
  weight = weight.detach().requires_grad_(weights);
  bias = bias.detach().requires_grad_(weights);
  const at::Tensor output = operation(input, weight, bias);
  const at::Tensor gradient = at::randn(output.sizes()).contiguous(output.suggest_memory_format());
  const std::vector<at::Tensor> wanted =
      weights ? std::vector<at::Tensor>{weight, bias} : std::vector<at::Tensor>{input};
  return [=] { torch::autograd::grad({output}, wanted, {gradient}, true); };
}

void compare_passes(const std::string& name, int rounds, const Operation& aten, const Operation& ours,
                    const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  compare(
      name, "forward", rounds, [&] { aten(input, weight, bias); }, [&] { ours(input, weight, bias); });
  compare(name, "input gradient", rounds, backwards(aten, input, weight, bias, false),
          backwards(ours, input, weight, bias, false));
  compare(name, "weight gradient", rounds, backwards(aten, input, weight, bias, true),
          backwards(ours, input, weight, bias, true));
}

void convolution(int rounds, int64_t samples, int64_t side, int64_t inputs, int64_t outputs) {
  const auto format = at::MemoryFormat::ChannelsLast;
  const std::string name = c10::str("conv ", inputs, "->", outputs, " ", side, "x", side, " N=", samples);
  compare_passes(
      name, rounds,
      [](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
        return at::conv2d(input, weight, bias, {1, 1}, {1, 1});
      },
      conv3x3, at::randn({samples, inputs, side, side}).contiguous(format),
      at::randn({outputs, inputs, 3, 3}).contiguous(format), at::randn({outputs}));
}

// ATen's in bfloat16 as autocast calls it, casts of weights and gradients included.
void linear(int rounds, int64_t samples, int64_t outputs, int64_t inputs, at::ScalarType type = at::kFloat) {
  compare_passes(
      c10::str("linear ", inputs, "->", outputs, " N=", samples, type == at::kFloat ? "" : " bf16"), rounds,
      [type](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
        return at::linear(input, weight.to(type), bias.to(type)).to(at::kFloat);
      },
      skinny_linear, at::randn({samples, inputs}).to(type), at::randn({outputs, inputs}), at::randn({outputs}));
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 100;
  const std::string only = count > 2 ? arguments[2] : "";
  if (count > 3) at::set_num_threads(std::atoi(arguments[3]));
  install_allocator();
  MemoryLease memory;
  if (only.empty() || only == "conv") convolution(rounds, 64, 32, 16, 32);
  if (only.empty() || only == "convs") {
    convolution(rounds, 64, 32, 32, 32);
    convolution(rounds, 64, 16, 64, 64);
    convolution(rounds, 64, 8, 128, 128);
  }
  if (only == "more") {
    convolution(rounds, 64, 32, 16, 16);
    convolution(rounds, 64, 16, 32, 64);
    convolution(rounds, 64, 8, 64, 128);
    convolution(rounds, 64, 4, 128, 128);
    convolution(rounds, 64, 8, 256, 256);
    convolution(rounds, 64, 4, 512, 512);
    convolution(rounds, 8, 56, 64, 64);
  }
  if (only == "more" || only == "edges") {  // of where winograd_wins
    convolution(rounds, 64, 7, 64, 64);
    convolution(rounds, 64, 3, 64, 64);
    convolution(rounds, 64, 2, 64, 64);
    convolution(rounds, 32, 4, 256, 256);
    convolution(rounds, 8, 8, 64, 64);
    convolution(rounds, 2, 16, 16, 16);
    convolution(rounds, 1, 32, 16, 32);
    convolution(rounds, 1, 8, 64, 64);
    convolution(rounds, 1, 4, 256, 256);
  }
  if (only.empty() || only == "linear") {
    linear(rounds, 64, 10, 32768);
    linear(rounds, 64, 32, 8192);
    linear(rounds, 64, 10, 32768, at::kBFloat16);
  }
  if (only == "more" || only == "linears") {
    linear(rounds, 1, 10, 32768);
    linear(rounds, 8, 10, 32768);
    linear(rounds, 64, 10, 128);
    linear(rounds, 64, 10, 512);
    linear(rounds, 64, 1, 4096);
    linear(rounds, 512, 10, 2048);
    linear(rounds, 64, 17, 1000);
  }
  return 0;
}
