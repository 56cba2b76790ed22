// Steps of optimizers over weights of any floating-point dtype, for test/golden/optimizer-dtypes.long.test.mjs:
// programs hold float32 weights alone.
//
// A job is a line of standard input: the kind, the dtype, the number of steps, then `shape <axes> <sizes…>` for each
// parameter and options as `number <name> <value>`, `boolean <name> <0 or 1>`, `word <name> <word>` and
// `numbers <name> <count> <values…>`. The answer is a line of tensors, `<name> <dtype> <bytes, in hexadecimal>`: of
// each parameter, and of its slots in their order.
#include <ATen/Context.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "src/optimizers/optimizer.h"

using namespace incremental;

namespace {

const std::map<std::string, at::ScalarType> kDtypes = {
    {"float32", at::kFloat}, {"bfloat16", at::kBFloat16}, {"float64", at::kDouble}};

struct Job {
  Choice choice;
  at::ScalarType dtype = at::kFloat;
  int steps = 0;
  std::vector<std::vector<int64_t>> shapes;
};

// Not by `>>`, which does not read "nan".
double number_in(std::istream& words) {
  std::string word;
  words >> word;
  return std::strtod(word.c_str(), nullptr);
}

Job job_in(const std::string& line) {
  std::istringstream words(line);
  Job job;
  std::string dtype, what, name;
  words >> job.choice.kind >> dtype >> job.steps;
  job.dtype = kDtypes.at(dtype);
  while (words >> what) {
    if (what == "shape") {
      size_t axes = 0;
      words >> axes;
      for (int64_t& size : job.shapes.emplace_back(axes)) words >> size;
      continue;
    }
    words >> name;
    if (what == "number") job.choice.options[name] = number_in(words);
    if (what == "boolean") job.choice.options[name] = number_in(words) != 0;
    if (what == "word") {
      std::string word;
      words >> word;
      job.choice.options[name] = word;
    }
    if (what == "numbers") {
      std::vector<double> numbers(static_cast<size_t>(number_in(words)));
      for (double& number : numbers) number = number_in(words);
      job.choice.options[name] = numbers;
    }
  }
  return job;
}

void print(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().contiguous();
  std::string dtype;
  for (const auto& [word, scalar] : kDtypes) {
    if (scalar == values.scalar_type()) dtype = word;
  }
  std::printf("%s %s ", name.c_str(), dtype.c_str());
  const auto* bytes = static_cast<const unsigned char*>(values.const_data_ptr());
  for (size_t i = 0; i < values.nbytes(); ++i) std::printf("%02x", bytes[i]);
  std::printf(" ");
}

void run(const Job& job) {
  at::manual_seed(0);
  std::vector<at::Tensor> parameters;
  parameters.reserve(job.shapes.size());
  for (const auto& shape : job.shapes) parameters.push_back(at::randn(shape).to(job.dtype).requires_grad_(true));
  const auto optimizer = make_optimizer(job.choice, parameters);
  for (int step = 0; step < job.steps; ++step) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].mutable_grad() = at::randn(job.shapes[i]).to(job.dtype);
    }
    optimizer->step();
  }
  const std::vector<Slots> state = optimizer->state();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string number = std::to_string(i);
    print(number, parameters[i]);
    for (const auto& [name, tensor] : state[i]) print(number + "." + name, tensor);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  at::set_num_threads(1);
  for (std::string line; std::getline(std::cin, line);) run(job_in(line));
  return 0;
}
