#include "src/state/create.h"

#include <algorithm>
#include <cmath>

#include "src/core/error.h"

namespace incremental {
namespace {

double normal_cdf(double x) { return (1.0 + std::erf(x / std::sqrt(2.0))) / 2.0; }

// torch/nn/init.py, _no_grad_trunc_normal_: rejects values outside where most are inside, ...
void draw_inside(const at::Tensor& tensor, const TruncatedNormal& how, at::Generator& generator) {
  const double low = at::scalar_tensor(how.low, tensor.options()).item<double>();
  const double high = at::scalar_tensor(how.high, tensor.options()).item<double>();
  at::Tensor result = tensor.normal_(how.mean, how.deviation, generator);
  while (true) {
    const at::Tensor outside = (result < low).__or__(result > high);
    if (!outside.any().item<bool>()) break;
    result = at::where(outside, at::empty_like(result).normal_(how.mean, how.deviation, generator), result);
  }
  if (!tensor.is_same(result)) tensor.copy_(result);
}

// ... and otherwise accepts uniform values with the density's probability.
void draw_by_density(const at::Tensor& tensor, const TruncatedNormal& how, at::Generator& generator) {
  const double mode = std::max(how.low, std::min(how.mean, how.high));
  const double log_peak = -0.5 * std::pow((mode - how.mean) / how.deviation, 2);
  at::Tensor candidates = at::empty_like(tensor), accepted = at::empty_like(tensor);
  const auto to_log_density = [&] { candidates.sub_(how.mean).div_(how.deviation).pow_(2).mul_(-0.5).sub_(log_peak); };
  const auto is_rejected = [&] { return accepted.uniform_(0, 1, generator).log_().gt(candidates); };
  tensor.uniform_(how.low, how.high, generator);
  candidates.copy_(tensor);
  to_log_density();
  at::Tensor pending = is_rejected(), result = tensor;
  while (pending.any().item<bool>()) {
    candidates.uniform_(how.low, how.high, generator);
    result = at::where(pending, candidates, result);
    to_log_density();
    pending = at::where(pending, is_rejected(), pending);
  }
  if (!tensor.is_same(result)) tensor.copy_(result);
}

struct Fill {
  const StateDict& state;
  at::Tensor tensor;
  at::Generator& generator;

  void operator()(const Constant& how) { (how.row ? tensor.select(0, *how.row) : tensor).fill_(how.value); }
  void operator()(const Uniform& how) { tensor.uniform_(-how.bound, how.bound, generator); }
  void operator()(const Normal& how) { tensor.normal_(how.mean, how.deviation, generator); }
  void operator()(const TruncatedNormal& how) {
    const double share =
        normal_cdf((how.high - how.mean) / how.deviation) - normal_cdf((how.low - how.mean) / how.deviation);
    if (share > 0.3) {
      draw_inside(tensor, how, generator);
    } else {
      draw_by_density(tensor, how, generator);
    }
  }
  void operator()(const Computed& how) {
    const at::Tensor value = how.compute();
    check(value.sizes() == tensor.sizes() && value.scalar_type() == tensor.scalar_type(), "ERR_INVALID_OPTION",
          "A computed tensor is ", value.scalar_type(), " ", value.sizes(), " instead of ", tensor.scalar_type(), " ",
          tensor.sizes());
    tensor.copy_(value);
  }
  void operator()(const Copied& how) {
    check(how.tensor < state.size() && state[how.tensor].tensor.sizes() == tensor.sizes(), "ERR_INVALID_OPTION",
          "A tensor of shape ", tensor.sizes(), " is a copy of one that has another shape, or does not exist");
    tensor.copy_(state[how.tensor].tensor);
  }
};

}  // namespace

std::shared_ptr<StateDict> create_state(const std::vector<InitialTensor>& tensors, const std::vector<Draw>& draws,
                                        uint64_t seed) {
  at::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  auto state = std::make_shared<StateDict>();
  for (const InitialTensor& wanted : tensors) state->push_back({wanted.name, at::zeros(wanted.shape, wanted.dtype)});
  for (const Draw& draw : draws) {
    check(draw.tensor < state->size(), "ERR_INVALID_OPTION", "There is no tensor ", draw.tensor, " to initialise");
    std::visit(Fill{*state, (*state)[draw.tensor].tensor, generator}, draw.initialiser);
  }
  return state;
}

}  // namespace incremental
