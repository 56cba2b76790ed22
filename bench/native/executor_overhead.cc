// How much the executor costs over the same ATen calls written by hand: one training step of Net, both ways in turns in
// one process. Built and run by bench/executor-overhead.mjs; prints one JSON line of medians in microseconds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "src/core/memory.h"
#include "src/optimizers/sgd.h"
#include "src/program/executor.h"

using namespace incremental;

namespace {

Program net() {
  auto conv = [](const char* input, const char* name, const char* output) {
    std::string path = name;
    return Node{"aten::conv2d",
                "",
                {{"input", ValueName{input}},
                 {"weight", ValueName{path + ".weight"}},
                 {"bias", ValueName{path + ".bias"}},
                 {"stride", std::vector<double>{1, 1}},
                 {"padding", std::vector<double>{1, 1}},
                 {"dilation", std::vector<double>{1, 1}},
                 {"groups", 1.0}},
                {output},
                {Mode::kTraining, Mode::kEvaluation}};
  };
  Program program;
  program.inputs = {{"input", at::kFloat}};
  program.parameters = {{"conv1.weight", at::kFloat, {16, 3, 3, 3}},  {"conv1.bias", at::kFloat, {16}},
                        {"conv2.weight", at::kFloat, {32, 16, 3, 3}}, {"conv2.bias", at::kFloat, {32}},
                        {"fc.weight", at::kFloat, {10, 32768}},       {"fc.bias", at::kFloat, {10}}};
  program.nodes.push_back(conv("input", "conv1", "edges"));
  program.nodes.push_back(conv("edges", "conv2", "features"));
  program.nodes.push_back({"aten::flatten",
                           "using_ints",
                           {{"self", ValueName{"features"}}, {"start_dim", 1.0}},
                           {"flat"},
                           {Mode::kTraining, Mode::kEvaluation}});
  program.nodes.push_back(
      {"aten::linear",
       "",
       {{"input", ValueName{"flat"}}, {"weight", ValueName{"fc.weight"}}, {"bias", ValueName{"fc.bias"}}},
       {"output"},
       {Mode::kTraining, Mode::kEvaluation}});
  program.outputs = {"output"};
  return program;
}

std::vector<at::Tensor> weights(const Program& program) {
  std::vector<at::Tensor> tensors;
  for (const ProgramTensor& parameter : program.parameters) {
    tensors.push_back(at::randn(parameter.shape).mul_(0.01).requires_grad_(true));
  }
  return tensors;
}

double microseconds(const std::function<void()>& body) {
  auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  const int64_t batch = count > 1 ? std::atoll(arguments[1]) : 1;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 2000;
  const int threads = count > 3 ? std::atoi(arguments[3]) : 2;
  at::set_num_threads(threads);
  install_allocator();
  MemoryLease memory;
  const Program program = net();
  const at::Tensor input = at::randn({batch, 3, 32, 32});
  const at::Tensor labels = at::zeros({batch}, at::kLong);

  const SgdOptions options(Choice{"sgd",
                                  {{"learningRate", 0.001},
                                   {"momentum", 0.9},
                                   {"dampening", 0.0},
                                   {"weightDecay", 0.0},
                                   {"nesterov", false},
                                   {"maximize", false}}});
  std::vector<at::Tensor> mine = weights(program);
  Executor executor(program, mine, Mode::kTraining, at::detail::createCPUGenerator(0));
  Sgd my_optimizer(mine, options);
  auto through_executor = [&] {
    at::Tensor loss = at::cross_entropy_loss(executor.run({input}).front(), labels);
    loss.backward();
    my_optimizer.step();
  };

  std::vector<at::Tensor> w = weights(program);
  Sgd other_optimizer(w, options);
  auto by_hand = [&] {
    at::Tensor edges = at::conv2d(input, w[0], w[1], {1, 1}, {1, 1}, {1, 1}, 1);
    at::Tensor features = at::conv2d(edges, w[2], w[3], {1, 1}, {1, 1}, {1, 1}, 1);
    at::Tensor loss = at::cross_entropy_loss(at::linear(at::flatten(features, 1), w[4], w[5]), labels);
    loss.backward();
    other_optimizer.step();
  };

  std::vector<double> executor_times, hand_times;
  for (int round = 0; round < rounds + 50; ++round) {
    // In turns, and in turns who is first, so that both meet the same machine.
    double a = 0;
    if (round % 2 == 0) a = microseconds(through_executor);
    double b = microseconds(by_hand);
    if (round % 2 == 1) a = microseconds(through_executor);
    if (round < 50) continue;
    executor_times.push_back(a);
    hand_times.push_back(b);
  }
  std::printf("{\"batch\": %lld, \"executor\": %.1f, \"byHand\": %.1f}\n", static_cast<long long>(batch),
              median(executor_times), median(hand_times));
  return 0;
}
