// Compares the kernels of src/kernels with ATen in float64: values, gradients, equal bits twice over. Built and run by
// test/unit/kernels.test.mjs, once for each instruction set; prints one JSON line of what was seen.
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "src/kernels/agreement.h"
#include "src/kernels/simd_level.h"
#include "src/kernels/skinny_linear.h"
#include "src/kernels/team.h"
#include "src/kernels/winograd.h"

using namespace incremental;

namespace {

using Operation = std::function<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

struct Case {
  at::Tensor input, weight, bias, gradient;
};

// The output, and the gradients of tensors that require one.
std::vector<at::Tensor> passes(const Operation& operation, const Case& example, bool input_needs, bool weight_needs,
                               bool bias_needs) {
  std::vector<at::Tensor> wanted;
  auto leaf = [&](const at::Tensor& tensor, bool needs) {
    if (!tensor.defined()) return tensor;
    at::Tensor copy = tensor.detach().requires_grad_(needs);
    if (needs) wanted.push_back(copy);
    return copy;
  };
  const at::Tensor input = leaf(example.input, input_needs), weight = leaf(example.weight, weight_needs),
                   bias = leaf(example.bias, bias_needs);
  const at::Tensor output = operation(input, weight, bias);
  std::vector<at::Tensor> results = {output.detach()};
  if (wanted.empty()) return results;
  for (at::Tensor& gradient : torch::autograd::grad({output}, wanted, {example.gradient})) {
    results.push_back(std::move(gradient));
  }
  return results;
}

Case in_doubles(const Case& example) {
  auto wide = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.to(at::kDouble) : tensor; };
  return {wide(example.input), wide(example.weight), wide(example.bias), wide(example.gradient)};
}

class Comparison {
 public:
  Comparison(Operation ours, Operation reference) : ours_(std::move(ours)), reference_(std::move(reference)) {}

  void add(const std::string& name, const Case& example) {
    const bool has_bias = example.bias.defined();
    const std::vector<at::Tensor> expected = passes(reference_, in_doubles(example), true, true, has_bias);
    const std::vector<at::Tensor> all = passes(ours_, example, true, true, has_bias);
    const std::vector<at::Tensor> again = passes(ours_, example, true, true, has_bias);
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!all[i].equal(again[i])) fail(name, "other bits the second time", i);
      if (all[i].sizes() != expected[i].sizes()) fail(name, "another shape", i);
      if (all[i].scalar_type() == at::kBFloat16) {
        if (!is_nearest(all[i], expected[i])) fail(name, "not the nearest bfloat16", i);
        continue;
      }
      double scale = std::max(expected[i].abs().max().item<double>(), 1e-30);
      if (i == 0) scale = std::max(scale, size_of_terms(example));
      const double error = (all[i].to(at::kDouble) - expected[i]).abs().max().item<double>() / scale;
      // Not >: a NaN must count.
      if (!(error <= worst_)) worst_ = error, where_ = c10::str(name, ", result ", i);
    }
    if (all[2].strides() != example.weight.strides() && example.weight.is_non_overlapping_and_dense()) {
      fail(name, "the weight's gradient lies otherwise than the weight", 2);
    }
    // Gradients that are not requested must not change the others.
    if (!passes(ours_, example, false, false, false)[0].equal(all[0])) fail(name, "other bits without gradients", 0);
    if (!passes(ours_, example, true, false, false)[1].equal(all[1])) fail(name, "other bits alone", 1);
    if (!passes(ours_, example, false, true, false)[1].equal(all[2])) fail(name, "other bits alone", 2);
    ++count_;
  }

  // NaN must not become a number.
  void add_special(const std::string& name, const Case& example) {
    const std::vector<at::Tensor> expected = passes(reference_, in_doubles(example), true, true, false);
    const std::vector<at::Tensor> all = passes(ours_, example, true, true, false);
    for (size_t i = 0; i < expected.size(); ++i) {
      const at::Tensor same = at::isfinite(all[i]).eq(at::isfinite(expected[i]));
      if (!same.all().item<bool>()) fail(name, "finite where it should not be, or the reverse", i);
      if (!at::isnan(all[i]).equal(at::isnan(expected[i]))) fail(name, "NaN elsewhere", i);
    }
    ++count_;
  }

  void print(const char* key) const {
    std::printf("\"%s\": {\"cases\": %d, \"failures\": %d, \"worst\": %g, \"where\": \"%s\", \"first\": \"%s\"}", key,
                count_, failures_, worst_, where_.c_str(), first_.c_str());
  }

 private:
  void fail(const std::string& name, const char* what, size_t result) {
    if (failures_++ == 0) first_ = c10::str(name, ", result ", result, ": ", what);
  }

  // The error of a sum grows with its terms. With few sums, all may be small because their terms cancel.
  double size_of_terms(const Case& example) const {
    if (example.gradient.numel() > 100) return 0;
    const Case wide = in_doubles(example);
    return reference_(wide.input.square(), wide.weight.square(), {}).max().sqrt().item<double>();
  }

  // Except for the rounding of the sum itself before the one to 8 bits.
  static bool is_nearest(const at::Tensor& result, const at::Tensor& expected) {
    const at::Tensor allowed = expected.abs() / 256 + expected.abs().max() * 1e-5;
    return (result.to(at::kDouble) - expected).abs().le(allowed).all().item<bool>();
  }

  Operation ours_, reference_;
  int count_ = 0, failures_ = 0;
  double worst_ = 0;
  std::string where_, first_;
};

void convolutions(Comparison& comparison) {
  const int64_t sides[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {5, 3}, {8, 9}, {32, 32}};
  const int64_t channels[][2] = {{16, 16}, {16, 32}, {32, 16}, {32, 48},  {48, 32},
                                 {48, 64}, {64, 48}, {64, 64}, {128, 144}};
  for (auto [height, width] : sides) {
    for (auto [inputs, outputs] : channels) {
      for (int64_t samples : {1, 2, 3, 64}) {
        // In float64 the largest would take minutes and reach no other code.
        const bool measured = inputs == 16 && outputs == 32;
        if (!measured && samples * height * width * inputs * outputs > int64_t{16} * 1024 * 16 * 32) continue;
        const bool odd = (samples + inputs / 16) % 2 == 1;
        const auto format = odd ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
        Case example{at::randn({samples, inputs, height, width}).contiguous(format),
                     at::randn({outputs, inputs, 3, 3}).contiguous(format),
                     {},
                     at::randn({samples, outputs, height, width}).contiguous(format)};
        if (samples != 2) example.bias = at::randn({outputs});
        comparison.add(c10::str("conv3x3 ", inputs, " to ", outputs, " of ", samples, "x", height, "x", width),
                       example);
      }
    }
  }
}

void linears(Comparison& comparison, at::ScalarType type) {
  for (int64_t samples : {1, 2, 3, 7, 64}) {
    for (int64_t outputs : {1, 3, 10, 16, 17, 32}) {
      for (int64_t inputs : {1, 7, 16, 1000, 4099, 32768}) {
        Case example{
            at::randn({samples, inputs}).to(type), at::randn({outputs, inputs}), {}, at::randn({samples, outputs})};
        if (samples != 2) example.bias = at::randn({outputs});
        comparison.add(c10::str("skinny_linear ", inputs, " to ", outputs, " of ", samples), example);
      }
    }
  }
  // Not contiguous: a view, and a gradient that is one number everywhere.
  comparison.add(
      "skinny_linear of views",
      {at::randn({40, 8}).to(type).t(), at::randn({5, 80}).slice(1, 0, 80, 2), {}, at::randn({1}).expand({8, 5})});
  for (const float special : {NAN, -NAN, INFINITY, -INFINITY}) {
    for (const int64_t at_fault : {0, 1}) {
      Case example{at::randn({8, 1003}).to(type), at::randn({3, 1003}), {}, at::randn({8, 3})};
      (at_fault == 0 ? example.input : example.gradient)[5][1] = special;
      comparison.add_special(c10::str("skinny_linear with ", special), example);
    }
  }
}

// If the kernel agrees with libtorch, other numbers must have the same bits too.
void print_agreements() {
  int shapes = 0, input_gradients = 0, weight_gradients = 0, failures = 0;
  std::string first;
  for (int64_t rows : {3, 4, 16, 33, 64, 100, 200}) {
    for (int64_t outputs : {1, 7, 10, 16, 17, 32}) {
      for (int64_t inputs : {512, 1031, 32768}) {
        ++shapes;
        const Agreement agreement = agreement_on(rows, outputs, inputs);
        const auto scale = at::randn({rows, 1}).mul(4).exp();
        const at::Tensor gradient = at::randn({rows, outputs}) * scale;
        const at::Tensor input = at::relu(at::randn({rows, inputs})), weight = at::randn({outputs, inputs});
        const auto compare = [&](const char* what, const at::Tensor& ours, const at::Tensor& theirs) {
          if (!ours.view(at::kInt).equal(theirs.contiguous().view(at::kInt)) && failures++ == 0) {
            first = c10::str(what, " of ", rows, " rows, ", outputs, " outputs, ", inputs, " inputs");
          }
        };
        if (agreement.input_gradient) {
          ++input_gradients;
          at::Tensor ours = at::empty({rows, inputs});
          skinny_input_gradient(gradient, weight.const_data_ptr<float>(), inputs, ours.mutable_data_ptr<float>());
          compare("input gradient", ours, gradient.mm(weight));
        }
        if (agreement.fused != Agreement::kNone) {
          ++weight_gradients;
          compare("weight gradient", skinny_weight_gradient(gradient, input, agreement.fused), gradient.t().mm(input));
        }
      }
    }
  }
  std::printf("\"agreement\": {\"shapes\": %d, \"input_gradients\": %d, \"weight_gradients\": %d, ", shapes,
              input_gradients, weight_gradients);
  std::printf("\"failures\": %d, \"first\": \"%s\"}", failures, first.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};
  const char* level = kNames[static_cast<int>(simd_level())];
  if (count > 1 && std::string(arguments[1]) == "--level") {
    std::printf("%s", level);
    return 0;
  }
  at::set_num_threads(count > 1 ? std::atoi(arguments[1]) : 2);
  at::globalContext().setDeterministicFillUninitializedMemory(true);
  at::manual_seed(7);
  Comparison convolution(conv3x3, [](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
    return at::conv2d(input, weight, bias, {1, 1}, {1, 1});
  });
  const Operation at_linear = [](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
    return at::linear(input, weight, bias);
  };
  Comparison linear(skinny_linear, at_linear), bf16_linear(skinny_linear, at_linear);
  convolutions(convolution);
  linears(linear, at::kFloat);
  linears(bf16_linear, at::kBFloat16);
  std::printf("{\"level\": \"%s\", ", level);
  convolution.print("conv3x3");
  std::printf(", ");
  linear.print("skinny_linear");
  std::printf(", ");
  bf16_linear.print("skinny_linear_bf16");
  std::printf(", ");
  print_agreements();
  std::printf("}\n");
  return 0;
}
