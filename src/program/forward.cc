#include "src/program/forward.h"

#include <utility>

#include "src/core/error.h"
#include "src/program/autocast.h"

namespace incremental {

std::vector<at::Tensor> Forward::operator()(std::vector<at::Tensor> inputs) {
  check(!inputs.empty(), "ERR_SHAPE", "Expected at least one input");
  const BatchRange& range = variants_.small_batch.batch;
  const int64_t samples = inputs.front().dim() > 0 ? inputs.front().size(0) : 0;
  // A program may say any number, and the copies take memory.
  constexpr int64_t kMostFilled = int64_t{1} << 16;
  const bool fills = mode_ == Mode::kEvaluation && range.least <= kMostFilled;
  check(samples <= range.most && (samples >= range.least || fills), "ERR_SHAPE", "Expected ", range.least, " to ",
        range.most, " samples for ", variants_.small_batch.owner, " but received ", samples);
  // Samples do not see one another in evaluation: copies of the last one make up the number that the program takes.
  const bool is_filled = samples > 0 && samples < range.least;
  if (is_filled) {
    const at::Tensor rows = at::arange(range.least, at::kLong).clamp_max_(samples - 1).to(inputs.front().device());
    for (at::Tensor& input : inputs) input = input.index_select(0, rows);
  }
  std::vector<at::Tensor> outputs = run(std::move(inputs));
  if (!is_filled) return outputs;
  for (at::Tensor& output : outputs) {
    if (output.defined() && output.dim() > 0 && output.size(0) == range.least) output = output.narrow(0, 0, samples);
  }
  return outputs;
}

std::vector<at::Tensor> Forward::run(std::vector<at::Tensor> inputs) {
  const c10::DeviceType device = inputs.front().device().type();
  const bool is_large = inputs.front().dim() > 0 && inputs.front().size(0) > variants_.limit;
  std::unique_ptr<Executor>& executor = is_large ? large_batch_ : small_batch_;
  if (!executor) {
    executor = std::make_unique<Executor>(is_large ? variants_.large_batch : variants_.small_batch, tensors_, mode_,
                                          generator_, checks_statistics_);
  }
  if (!bf16_) return executor->run(std::move(inputs));
  const Autocast autocast(device);
  std::vector<at::Tensor> outputs = executor->run(std::move(inputs));
  for (at::Tensor& output : outputs) {
    if (output.defined() && output.is_floating_point()) output = output.to(at::kFloat);
  }
  return outputs;
}

}  // namespace incremental
