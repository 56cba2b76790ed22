// For each line of standard input: the median time of a step of an optimizer over the weights of ResNet-18, in
// milliseconds.
//
//   optimizer_steps_bench adamW exact|fast threads
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "src/core/memory.h"
#include "src/optimizers/optimizer.h"

using namespace incremental;

namespace {

constexpr int kSteps = 20;

// Weights of ResNet-18, 11.7 million: of a block's convolutions and norms, and of the classifier.
std::vector<at::Tensor> weights() {
  std::vector<std::vector<int64_t>> shapes = {{64, 3, 7, 7}, {64}, {64}};
  int64_t inputs = 64;
  for (const int64_t outputs : {64, 128, 256, 512}) {
    for (int block = 0; block < 2; ++block) {
      const bool changes = inputs != outputs;
      shapes.insert(shapes.end(), {{outputs, inputs, 3, 3}, {outputs}, {outputs}});
      shapes.insert(shapes.end(), {{outputs, outputs, 3, 3}, {outputs}, {outputs}});
      if (changes) shapes.insert(shapes.end(), {{outputs, inputs, 1, 1}, {outputs}, {outputs}});
      inputs = outputs;
    }
  }
  shapes.insert(shapes.end(), {{1000, 512}, {1000}});
  std::vector<at::Tensor> tensors;
  tensors.reserve(shapes.size());
  for (const auto& shape : shapes) tensors.push_back(at::randn(shape).requires_grad_(true));
  return tensors;
}

Choice choice(const std::string& kind) {
  return {kind,
          {{"learningRate", 1e-3},
           {"betas", std::vector<double>{0.9, 0.999}},
           {"eps", 1e-8},
           {"weightDecay", 0.01},
           {"amsgrad", false},
           {"maximize", false},
           {"momentum", 0.9},
           {"dampening", 0.0},
           {"nesterov", false}}};
}

double step(Optimizer& optimizer, const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& gradients) {
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i].mutable_grad() = gradients[i];
  const auto started = std::chrono::steady_clock::now();
  optimizer.step();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  install_allocator();
  const MemoryLease lease;
  at::set_num_threads(std::atoi(arguments[3]));
  const std::vector<at::Tensor> parameters = weights();
  std::vector<at::Tensor> gradients;
  gradients.reserve(parameters.size());
  for (const at::Tensor& parameter : parameters) gradients.push_back(at::randn_like(parameter).detach());
  const bool fast = std::string(arguments[2]) == "fast";
  const auto optimizer =
      make_optimizer(choice(arguments[1]), parameters, fast ? OptimizerKernels::kFast : OptimizerKernels::kExact);
  for (std::string line; std::getline(std::cin, line);) {
    std::vector<double> times;
    times.reserve(kSteps);
    for (int i = 0; i < kSteps; ++i) times.push_back(step(*optimizer, parameters, gradients));
    std::nth_element(times.begin(), times.begin() + kSteps / 2, times.end());
    std::printf("{\"milliseconds\": %.6f}\n", times[kSteps / 2]);
    std::fflush(stdout);
  }
  return 0;
}
