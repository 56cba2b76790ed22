// The rules that updates are computed by: see Learner::update in src/online/learner.h.
#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "src/core/error.h"
#include "src/core/priority.h"
#include "src/online/learner.h"
#include "src/train/progress.h"
#include "src/train/run.h"

namespace incremental {
namespace {

// Positions of the flags that are as wanted.
std::vector<int64_t> positions_of(const std::vector<bool>& flags, bool wanted) {
  std::vector<int64_t> positions;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] == wanted) positions.push_back(static_cast<int64_t>(i));
  }
  return positions;
}

}  // namespace

Update Learner::update(const UpdatePlan& plan, const Batch& samples) {
  check(plan.rules == 1 || plan.rules == 2, "ERR_INVALID_OPTION",
        "Expected rules that this version knows but received number ", plan.rules);
  be_nice(plan_.niceness);
  RunScope scope(plan_.threads);
  check_samples(samples);
  set_rate(plan.rate);
  return plan.rules == 1 ? update_by_rules_1(plan, samples) : update_by_rules_2(plan, samples);
}

void Learner::check_samples(const Batch& samples) const {
  const auto fits = [&](const at::Tensor& values, at::ScalarType dtype, const std::vector<int64_t>& shape) {
    return values.scalar_type() == dtype && values.sizes().slice(1) == at::IntArrayRef(shape) &&
           values.size(0) == samples.samples();
  };
  check(samples.inputs.size() == plan_.inputs.size() && samples.samples() > 0, "ERR_SHAPE", "Expected samples with ",
        plan_.inputs.size(), " inputs but received ", samples.inputs.size());
  for (size_t i = 0; i < samples.inputs.size(); ++i) {
    const auto& [name, dtype, shape] = plan_.inputs[i];
    check(fits(samples.inputs[i], dtype, shape), "ERR_SHAPE", "Expected samples of shape ", at::IntArrayRef(shape),
          " for the input \"", name, "\" but received ", samples.inputs[i].sizes());
  }
  check(fits(samples.targets, plan_.target.dtype(), plan_.target.shape), "ERR_SHAPE", "Expected targets of shape ",
        at::IntArrayRef(plan_.target.shape), " but received ", samples.targets.sizes());
}

Update Learner::update_by_rules_1(const UpdatePlan& plan, const Batch& samples) {
  Update update;
  score(samples, plan.served, update);
  const Batch batch = assemble(samples, draw_replayed(plan.replayed));
  const KeptBuffers buffers(weights_->buffers());
  update.refused = compute_gradients(batch, update);
  if (!update.refused.empty()) {
    undo(buffers);
    return update;
  }
  step_->optimizer().step();
  steps_.forget();
  add_to_average();
  if (plan.keep) keep_for_replay(samples);
  return update;
}

Update Learner::update_by_rules_2(const UpdatePlan& plan, const Batch& samples) {
  Update update;
  Batch rest = samples;
  std::vector<int64_t> positions(samples.samples());  // of `rest` in `samples`
  std::iota(positions.begin(), positions.end(), 0);
  std::unordered_set<int64_t> left_out;  // slots of the replay buffer
  const auto leave_out = [&](const std::vector<bool>& offends) {
    for (const int64_t i : positions_of(offends, true)) update.offenders.push_back(positions[i]);
    const std::vector<int64_t> others = positions_of(offends, false);
    const at::Tensor index = at::tensor(others, at::kLong);
    for (at::Tensor& input : rest.inputs) input = input.index_select(0, index);
    rest.targets = rest.targets.index_select(0, index);
    for (size_t i = 0; i < others.size(); ++i) positions[i] = positions[others[i]];
    positions.resize(others.size());
  };

  // Each round but the last leaves out at least one sample more.
  for (;;) {
    score(rest, plan.served, update);
    if (!all_finite(update.logits)) {
      leave_out(not_finite(update.logits));
      if (positions.empty()) break;
      continue;
    }
    const at::Tensor random = generator_.get_state();
    std::vector<int64_t> slots = draw_replayed(plan.replayed);
    std::erase_if(slots, [&](int64_t slot) { return left_out.contains(slot); });
    update.refused = why_too_few(static_cast<int64_t>(positions.size() + slots.size()));
    if (!update.refused.empty()) {
      restore(generator_, random);
      update.needs_company = true;
      break;
    }
    const Batch batch = assemble(rest, slots);
    update.refused = attempt(batch, update);
    if (update.refused.empty()) {
      add_to_average();
      if (plan.keep) keep_for_replay(rest);
      break;
    }
    std::vector<bool> offends = offenders_in(batch);
    if (std::find(offends.begin(), offends.end(), true) == offends.end()) break;
    restore(generator_, random);
    update.refused.clear();
    for (size_t i = 0; i < slots.size(); ++i) {
      if (offends[positions.size() + i]) left_out.insert(slots[i]);
    }
    offends.resize(positions.size());
    leave_out(offends);
    if (positions.empty()) break;
  }
  if (positions.empty()) update.logits = at::empty({0});
  std::sort(update.offenders.begin(), update.offenders.end());
  return update;
}

std::string Learner::attempt(const Batch& batch, Update& update) {
  const KeptBuffers buffers(weights_->buffers());
  std::string problem = compute_gradients(batch, update);
  if (problem.empty() && lost_finiteness(buffers.before(), weights_->buffers())) {
    problem = "a statistic of the model would not be finite";
  }
  const double limit = plan_.max_gradient_norm;
  const double norm = limit > 0 ? std::min(update.gradient_norm, limit) : update.gradient_norm;
  if (problem.empty() && !steps_.step(step_->optimizer(), *weights_, norm, average_ != nullptr)) {
    problem = "a weight would not be finite";
  }
  if (!problem.empty()) undo(buffers);
  return problem;
}

std::vector<bool> Learner::offenders_in(const Batch& batch) {
  const auto any = [](const std::vector<bool>& flags) {
    return std::find(flags.begin(), flags.end(), true) != flags.end();
  };
  const std::vector<at::Tensor>& parameters = weights_->parameters();
  Forward forward(variants_, weights_->all(), Mode::kEvaluation, generator_, plan_.numerics.bf16);
  const KeptBuffers buffers = kept_in_evaluation(weights_->buffers());
  std::vector<bool> bad = without_finite_loss(forward, *loss_, batch, buffers);
  if (!any(bad)) bad = without_finite_gradient(forward, *loss_, batch, parameters, buffers);
  if (!any(bad)) bad = overwhelming(batch);
  // Under dropout, an output may be on any side.
  if (!any(bad) && loss_->has_classes()) {
    const Batch unlikely = with_least_likely(forward, *loss_, batch, buffers);
    bad = without_finite_gradient(forward, *loss_, unlikely, parameters, buffers);
  }
  return bad;
}

std::vector<bool> Learner::overwhelming(const Batch& batch) {
  const at::Tensor random = generator_.get_state();
  const KeptBuffers buffers(weights_->buffers());
  std::vector<bool> bad(batch.samples());
  for (int64_t i = 0; i < batch.samples(); ++i) {
    // Copies of zeros make up the number that the program takes, which is two at least.
    Batch filled = part_of(batch, i, 1);
    const int64_t least = std::max<int64_t>(plan_.program->batch.least, 2);
    for (at::Tensor& input : filled.inputs) {
      std::vector<int64_t> shape = input.sizes().vec();
      shape.front() = least - 1;
      input = at::cat({input, at::zeros(shape, input.options())});
    }
    filled.targets = filled.targets.repeat_interleave(least, 0);
    Update ignored;
    const std::string problem = compute_gradients(filled, ignored);
    bad[i] = !problem.empty() || lost_finiteness(buffers.before(), weights_->buffers());
    undo(buffers);
  }
  restore(generator_, random);
  return bad;
}

std::string Learner::why_too_few(int64_t samples) {
  constexpr const char* kAdvice =
      ": let samples wait for others with a larger batchSize and maxDelayMs, or replay some";
  const int64_t least = plan_.program->batch.least;
  if (samples < least) {
    return c10::str("the exported model takes no fewer than ", least, " samples at a time", kAdvice);
  }
  if (samples > 1) return "";
  if (!needs_company_) needs_company_ = needs_company(*plan_.program, pipeline_.outputs());
  if (!*needs_company_) return "";
  return std::string(
             "batch norm cannot learn from a single value of a channel, which is all that this sample has "
             "alone") +
         kAdvice;
}

}  // namespace incremental
