#include "src/train/device/device_steps.h"

#include <algorithm>
#include <utility>

#include "src/program/allowed_operators.h"
#include "src/train/progress.h"
#include "src/train/run.h"

namespace incremental {
namespace {

// Steps that are asked for one by one, before any is captured: libraries make their handles and workspaces in the
// first, and choose kernels. The last of them is timed.
constexpr int64_t kWarmUp = 3;
// What is asked for at once must not take longer, or an abort waits for it.
constexpr double kLongest = 0.05;  // seconds
// Nor may the inputs of its steps, which are made together, have more elements: 16 MB.
constexpr int64_t kMostElements = 1 << 22;
constexpr int64_t kMostSteps = 64;
// Pieces of work under way: one being done, one waiting, so that the device is never idle.
constexpr size_t kUnderWay = 2;

// How many steps, up to `most`, to ask for at once. A number that divides the steps between two log lines leaves none
// to be asked for one by one, so it may be somewhat smaller.
int64_t piece_of(int64_t most, int64_t every) {
  if (every <= 0) return most;
  const int64_t largest = std::min(most, every);
  for (int64_t count = largest; count > largest / 2; --count) {
    if (every % count == 0) return count;
  }
  return largest;
}

}  // namespace

DeviceSteps::DeviceSteps(const TrainPlan& plan, Variants variants, const Weights& weights, DeviceBatches& batches)
    : plan_(plan),
      weights_(weights),
      batches_(batches),
      rates_(plan.groups, plan.scheduler, plan.start.scheduler, plan.start.rates),
      step_(Forward(std::move(variants), weights.all(), Mode::kTraining, make_generator(plan.device, plan.seed),
                    plan.numerics.bf16, /*checks_statistics=*/true),
            make_loss(plan.loss, *plan.dataset),
            ParameterGroups(rates_.groups(), weights.parameters(), OptimizerKernels::kCaptured, weights.shapes()),
            weights.parameters()),
      pace_(plan.device, kUnderWay),
      losses_(at::zeros({batches.per_epoch()}, at::device(plan.device).dtype(at::kDouble))),
      place_(at::zeros({1}, at::device(plan.device).dtype(at::kLong))),
      not_captured_(DeviceGraph::unavailable(plan.device)) {
  step_.optimizer().restore(weights.to_kept(plan.start.slots));
  const int64_t elements = batches.batch_size(0) * batches.sample_elements();
  at_once_ = std::clamp<int64_t>(kMostElements / std::max<int64_t>(1, elements), 1, kMostSteps);
  at_once_ = std::min(at_once_, std::max<int64_t>(1, batches.per_epoch() - 1));
  if (not_captured_.empty() && !step_.optimizer().is_capturable()) not_captured_ = "its optimizer counts on the host";
  // A graph would repeat the numbers of the step that was captured.
  if (not_captured_.empty() && rates_.move_by_step()) not_captured_ = "the scheduler moves rates after each step";
  if (not_captured_.empty() && draws(*plan.program, Mode::kTraining)) {
    not_captured_ = "the model draws random numbers in training";
  }
}

void DeviceSteps::begin_epoch(int64_t first) {
  batches_.begin_epoch();
  place_.fill_(first);
}

int64_t DeviceSteps::run(int64_t step, int64_t most) {
  const int64_t samples = batches_.batch_size(step);
  const bool full = samples == batches_.batch_size(0);
  int64_t count = 1;
  if (done_ < kWarmUp) {
    warm_up(samples);
  } else if (!full) {
    steps(1, samples);  // once in an epoch: not worth a graph of its own
  } else {
    // Whether the last step's batch is full as well is not worth a look: it is asked for by itself.
    const int64_t left = std::min(most, batches_.per_epoch() - step - 1);
    if (left >= at_once_) count = at_once_;
    start(count == 1 ? single_ : several_, count);
  }
  pace_.mark();
  return count;
}

void DeviceSteps::end_epoch() {
  if (!rates_.after_epoch(step_.optimizer(), std::nullopt)) return;
  // They have the rates of before.
  single_.reset();
  several_.reset();
}

void DeviceSteps::warm_up(int64_t samples) {
  const int64_t step = done_++;
  if (step + 1 < kWarmUp) return steps(1, samples);
  const auto wait = [this] { losses_.select(0, 0).item<double>(); };
  wait();
  const Clock clock;
  steps(1, samples);
  wait();
  const auto in_time = static_cast<int64_t>(kLongest / std::max(clock.seconds(), 1e-6));
  at_once_ = piece_of(std::clamp<int64_t>(in_time, 1, at_once_), plan_.log_every);
}

// By a graph, captured when it is first needed; where that is refused, this time and from then on without.
void DeviceSteps::start(std::optional<DeviceGraph>& graph, int64_t count) {
  const int64_t samples = batches_.batch_size(0);
  if (not_captured_.empty() && !graph) {
    try {
      graph.emplace().capture([&] { steps(count, samples); });
    } catch (const c10::Error& error) {
      graph.reset();
      const std::string said = error.what_without_backtrace();
      not_captured_ = said.substr(0, said.find('\n'));
      drop_gradients(weights_.parameters());  // they are where the graph would have had its memory
    }
  }
  if (graph) return graph->replay();
  steps(count, samples);
}

void DeviceSteps::steps(int64_t count, int64_t samples) {
  const Batch batch = batches_.take(count * samples);
  for (int64_t i = 0; i < count; ++i) one_step(part_of(batch, i * samples, samples));
}

void DeviceSteps::one_step(const Batch& batch) {
  const at::Tensor loss = step_.run(batch);
  losses_.scatter_(0, place_, loss.detach().to(at::kDouble).view({1}));
  place_.add_(1);
  rates_.after_step(step_.optimizer());
}

std::vector<double> DeviceSteps::losses(int64_t from, int64_t to) const {
  const at::Tensor values = losses_.narrow(0, from, to - from).cpu();
  const auto* data = values.const_data_ptr<double>();
  return {data, data + values.numel()};
}

}  // namespace incremental
