#include "src/train/progress.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "src/core/error.h"

namespace incremental {
namespace {

// True where all that is infinite or NaN now was so in the given state.
bool all_were_bad(const at::Tensor& bad, const StateDict& given, const std::string& name) {
  auto found = std::find_if(given.begin(), given.end(), [&](const NamedTensor& item) { return item.name == name; });
  return found != given.end() && !bad.logical_and(at::isfinite(found->tensor)).any().item<bool>();
}

}  // namespace

void check_finite(const Weights& weights, const StateDict& given) {
  at::NoGradGuard no_grad;
  const std::vector<at::Tensor> tensors = weights.all();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor bad = at::isfinite(tensors[i]).logical_not();
    if (!bad.any().item<bool>()) continue;
    const std::string& name = weights.name(i);
    const bool is_buffer = i >= weights.parameters().size();
    check(all_were_bad(weights.to_saved(i, bad).cpu(), given, name), "ERR_NOT_FINITE",
          is_buffer ? "The buffer \"" : "The weight \"", name,
          "\" became infinite or NaN. The given state is unchanged; ", "try a smaller learningRate",
          is_buffer ? ", or look for bad values in the data" : "");
  }
}

void check_finite(double loss, int64_t epoch, int64_t step) {
  check(std::isfinite(loss), "ERR_NOT_FINITE", "The loss became ", loss, " at epoch ", epoch + 1, ", step ", step,
        ". The given state is unchanged; try a smaller learningRate, or look for bad values in the data");
}

void restore(at::Generator& generator, const at::Tensor& state) {
  if (!state.defined()) return;
  try {
    generator.set_state(state.contiguous());
  } catch (const c10::Error& error) {
    throw Error("ERR_STATE_FORMAT", c10::str("Expected the state of a generator as torch.get_rng_state() has it, but ",
                                             error.what_without_backtrace()));
  }
}

void add_slots(StateDict& to, const Weights& weights, const std::vector<Slots>& slots) {
  for (size_t i = 0; i < slots.size(); ++i) {
    for (const auto& [name, tensor] : slots[i]) {
      const at::Tensor saved = weights.to_saved(i, tensor);
      to.push_back({c10::str(i, '.', name), saved.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true)});
    }
  }
}

std::shared_ptr<const StateDict> averaged_model(const StateDict& average, int64_t count) {
  auto model = std::make_shared<StateDict>(StateDict{{"n_averaged", at::scalar_tensor(count, at::kLong)}});
  for (const auto& [name, tensor] : average) model->push_back({"module." + name, tensor});
  return model;
}

Snapshot take_snapshot(const Position& position, const Weights& weights, const TrainPlan& plan,
                       const std::vector<Slots>& slots, const Rates& rates, const at::Tensor& random,
                       const at::Tensor& epoch_random) {
  check_finite(weights, *plan.state);  // or a good checkpoint would give way to one that is lost
  auto rest = std::make_shared<StateDict>(StateDict{{"random", random}, {"epoch", epoch_random}});
  add_slots(*rest, weights, slots);
  return {position, weights.copy(plan.names), std::move(rest), nullptr, nullptr, rates.kept(), rates.state()};
}

}  // namespace incremental
