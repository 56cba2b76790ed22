#include "src/optimizers/sgd.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "src/core/error.h"
#include "src/kernels/team.h"

// One version for each kind of processor, chosen when the addon is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace incremental {
namespace {

struct Factors {
  float rate, momentum, decay;
};

// What the calls of step() below do to each element, in one pass over memory instead of three to five. ATen's kernels
// contract a product and a sum into one rounding, but not those of two calls.
template <bool kDecay, bool kNesterov>
inline __attribute__((always_inline)) void update(float* parameter, float* buffer, const float* gradient, int64_t count,
                                                  const Factors& factors) {
  const auto [rate, momentum, decay] = factors;
  for (int64_t i = 0; i < count; ++i) {
    const float slope = kDecay ? __builtin_fmaf(parameter[i], decay, gradient[i]) : gradient[i];
    const float kept = buffer[i] * momentum;
    const float sum = kept + slope;
    buffer[i] = sum;
    const float change = kNesterov ? __builtin_fmaf(sum, momentum, slope) : sum;
    parameter[i] = __builtin_fmaf(change, -rate, parameter[i]);
  }
}

FOR_EACH_PROCESSOR void update(float* parameter, float* buffer, const float* gradient, int64_t count,
                               const Factors& factors, bool nesterov) {
  const bool decays = factors.decay != 0;
  if (decays && nesterov) return update<true, true>(parameter, buffer, gradient, count, factors);
  if (decays) return update<true, false>(parameter, buffer, gradient, count, factors);
  if (nesterov) return update<false, true>(parameter, buffer, gradient, count, factors);
  update<false, false>(parameter, buffer, gradient, count, factors);
}

// ATen's kernels for older processors round products too.
bool contracts() {
#ifdef __x86_64__
  static const bool contracted = at::get_cpu_capability().starts_with("AVX");
  return contracted;
#else
  return false;
#endif
}

// Elements lie side by side, in whatever order.
bool is_plain(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
}

bool can_update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) {
  return contracts() && is_plain(parameter) && is_plain(buffer) && is_plain(gradient) &&
         buffer.strides() == parameter.strides() && gradient.strides() == parameter.strides();
}

}  // namespace

SgdOptions::SgdOptions(const Choice& choice)
    : learning_rate(choice.number("learningRate")),
      momentum(choice.number("momentum")),
      weight_decay(choice.number("weightDecay")),
      nesterov(choice.boolean("nesterov")) {}

Sgd::Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options)
    : parameters_(std::move(parameters)), momentum_buffers_(parameters_.size()), options_(options) {}

void Sgd::restore(const std::vector<at::Tensor>& momentum_buffers) {
  std::vector<at::Tensor> restored(parameters_.size());
  for (size_t i = 0; i < momentum_buffers.size(); ++i) {
    const at::Tensor& given = momentum_buffers[i];
    if (!given.defined()) continue;
    check(i < parameters_.size() && given.sizes() == parameters_[i].sizes(), "ERR_STATE_MISMATCH",
          "The momentum buffer of parameter ", i, " has shape ", given.sizes(), ", which is not that parameter's");
    // With its strides: kernels round differently where they cannot take a tensor in one run.
    restored[i] = given.to(at::kFloat).clone();
  }
  momentum_buffers_ = std::move(restored);
}

std::optional<Optimizer::Bounds> Sgd::bounds_after(const Bounds& before, double gradient_norm) const {
  // Far enough below the largest float for every rounding on the way.
  constexpr double kLimit = static_cast<double>(std::numeric_limits<float>::max()) / 16;
  constexpr double kRounding = 1.0001;
  const double slope = (gradient_norm + options_.weight_decay * before.weight) * kRounding;
  const double momentum = (options_.momentum * before.state + slope) * kRounding;
  const double direction = options_.nesterov ? (slope + options_.momentum * momentum) * kRounding : momentum;
  const double change = options_.learning_rate * direction * kRounding;
  const double weight = (before.weight + change) * kRounding;
  const bool fits = std::max({slope, momentum, direction, change, weight}) < kLimit;
  return fits ? std::optional(Bounds{weight, options_.momentum == 0 ? 0 : momentum}) : std::nullopt;
}

void Sgd::update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const {
  constexpr int64_t kGrain = 32768;  // elements for which a thread is worth waking, as in ATen
  auto* const parameters = parameter.mutable_data_ptr<float>();
  auto* const buffers = buffer.mutable_data_ptr<float>();
  const auto* const gradients = gradient.const_data_ptr<float>();
  const Factors factors{static_cast<float>(options_.learning_rate), static_cast<float>(options_.momentum),
                        static_cast<float>(options_.weight_decay)};
  const int64_t count = parameter.numel();
  const int64_t parts = std::clamp<int64_t>(count / kGrain, 1, at::get_num_threads());
  on_team(parts, [&](int64_t part) {
    const int64_t begin = count * part / parts, end = count * (part + 1) / parts;
    update(parameters + begin, buffers + begin, gradients + begin, end - begin, factors, options_.nesterov);
  });
}

void Sgd::step() {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& parameter = parameters_[i];
    at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;  // nothing the loss depends on
    at::Tensor& buffer = momentum_buffers_[i];
    if (options_.momentum != 0 && buffer.defined() && can_update_at_once(parameter, buffer, gradient)) {
      update_at_once(parameter, buffer, gradient);
      parameter.mutable_grad() = at::Tensor();
      continue;
    }
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    if (options_.momentum != 0) {
      if (buffer.defined()) {
        buffer.mul_(options_.momentum).add_(gradient);
      } else {
        buffer = gradient.clone();
      }
      gradient = options_.nesterov ? gradient.add(buffer, options_.momentum) : buffer;
    }
    parameter.add_(gradient, -options_.learning_rate);
    parameter.mutable_grad() = at::Tensor();
  }
}

}  // namespace incremental
