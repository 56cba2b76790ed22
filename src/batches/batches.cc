#include "src/batches/batches.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/batches/epoch_draws.h"
#include "src/core/error.h"
#include "src/kernels/team.h"

namespace incremental {

int64_t batches_per_epoch(const BatchOptions& options, int64_t samples) {
  check(options.batch_size >= 1 && options.epochs >= 0, "ERR_INVALID_OPTION",
        "Expected a batch size of at least 1 and no negative number of epochs but received ", options.batch_size,
        " and ", options.epochs);
  check(options.workers >= 0 && options.workers <= kMostWorkers, "ERR_INVALID_OPTION", "Expected 0 to ", kMostWorkers,
        " workers but received ", options.workers);
  check(samples > 0, "ERR_DATA_FORMAT", "The data set is empty; give at least one sample");
  const int64_t rest = samples % options.batch_size > 0 && !options.drop_last ? 1 : 0;
  const int64_t count = samples / options.batch_size + rest;
  check(count > 0, "ERR_INVALID_OPTION", "dropLast leaves no batch: the data set has only ", samples,
        " samples, fewer than batchSize");
  const auto [epoch, step] = std::pair(options.first_epoch, options.first_step);
  check(epoch >= 0 && step >= 0 && step < count && (epoch < options.epochs || (epoch == options.epochs && step == 0)),
        "ERR_INVALID_OPTION", "Cannot start at step ", step, " after ", epoch, " epochs of ", count,
        " steps each where there are ", options.epochs, " epochs");
  return count;
}

Batch part_of(const Batch& batch, int64_t first, int64_t count) {
  Batch part;
  for (const at::Tensor& input : batch.inputs) part.inputs.push_back(input.narrow(0, first, count));
  if (batch.targets.defined()) part.targets = batch.targets.narrow(0, first, count);
  return part;
}

Batch on_device(const Batch& batch, c10::Device device) {
  Batch moved = batch;
  for (at::Tensor& input : moved.inputs) input = input.to(device);
  if (moved.targets.defined()) moved.targets = moved.targets.to(device);
  return moved;
}

class Batches::Impl {
 public:
  Impl(std::shared_ptr<const Dataset> dataset, SamplePipeline pipeline, BatchOptions options, at::Generator generator)
      : dataset_(std::move(dataset)),
        pipeline_(std::move(pipeline)),
        options_(options),
        generator_(std::move(generator)),
        samples_(dataset_->samples()),
        target_bytes_(dataset_->targets.defined() ? dataset_->targets.nbytes() / std::max<int64_t>(1, samples_) : 0) {
    per_epoch_ = batches_per_epoch(options_, samples_);
    options_.batch_size = std::min(options_.batch_size, samples_ + 1);  // more changes nothing but the arithmetic below
    total_ = per_epoch_ * options_.epochs;
    begin();
    const int parts = options_.on_team ? at::get_num_threads() : 1;
    for (int i = 0; i < parts; ++i) workspaces_.push_back(pipeline_.make_workspaces());
    // A run of a single batch, such as a prediction, assembles it where it is drawn.
    const bool ahead = !options_.on_team && total_ - prepared_ > 1;
    if (ahead) assembler_ = std::thread([this] { assemble_all(); });
  }

  ~Impl() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (assembler_.joinable()) assembler_.join();
  }

  int64_t per_epoch() const { return per_epoch_; }

  void prepare() {
    if (prepared_ == total_) return;
    TORCH_CHECK(prepared_ == taken_, "prepare() called twice without take()");
    Slot& slot = slots_[prepared_ % slots_.size()];
    allocate(slot);
    draw(slot);
    const bool alone = !assembler_.joinable();
    if (alone) assemble_on_team(slot);
    {
      std::lock_guard lock(mutex_);
      ++prepared_;
      if (alone) ++assembled_;
    }
    changed_.notify_all();
  }

  Batch take() {
    TORCH_CHECK(prepared_ > taken_, "take() called without prepare()");
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return assembled_ > taken_; });
    Slot& slot = slots_[taken_ % slots_.size()];
    ++taken_;
    const auto count = static_cast<int64_t>(slot.indices.size());
    return part_of(slot.batch, 0, count);
  }

 private:
  void begin() {
    const auto [epoch, step] = std::pair(options_.first_epoch, options_.first_step);
    prepared_ = assembled_ = taken_ = epoch * per_epoch_ + step;
    if (step == 0) return;
    std::lock_guard lock(generator_.mutex());
    draws_ = draw_epoch(*at::check_generator<at::CPUGeneratorImpl>(generator_));
    draws_.skip_to(step, options_.batch_size, pipeline_);
  }

  EpochDraws draw_epoch(at::CPUGeneratorImpl& generator) const {
    return {generator, samples_, options_.shuffle, options_.workers};
  }

  // One batch being used and one being made take turns in these.
  struct Slot {
    Batch batch;
    std::vector<void*> inputs_data;
    std::byte* targets_data = nullptr;
    std::vector<int64_t> indices;
    std::vector<double> drawn;  // SamplePipeline::draws() for each of the indices
  };

  // At first use: a run of a single batch needs only one slot.
  void allocate(Slot& slot) {
    if (!slot.batch.inputs.empty()) return;
    const int64_t count = std::min(options_.batch_size, samples_);
    slot.batch.inputs = pipeline_.make_batch(count, options_.channels_last);
    slot.inputs_data = memory_of(slot.batch.inputs);
    if (const at::Tensor& targets = dataset_->targets; targets.defined()) {
      slot.batch.targets = at::empty(batch_shape(count, dataset_->target.shape), targets.options());
      slot.targets_data = static_cast<std::byte*>(slot.batch.targets.mutable_data_ptr());
    }
    slot.indices.reserve(count);
    slot.drawn.reserve(count * pipeline_.draws());
  }

  void draw(Slot& slot) {
    std::lock_guard lock(generator_.mutex());
    auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
    const int64_t step = prepared_ % per_epoch_;
    if (step == 0) draws_ = draw_epoch(generator);
    const int64_t first = step * options_.batch_size;
    const int64_t last = std::min(first + options_.batch_size, samples_);
    const std::vector<int64_t>& order = draws_.order();
    slot.indices.assign(order.begin() + first, order.begin() + last);
    slot.drawn.resize(slot.indices.size() * pipeline_.draws());
    at::CPUGeneratorImpl& drawing = draws_.generator_of(step, generator);
    for (size_t i = 0; i < slot.indices.size(); ++i) {
      pipeline_.draw(drawing, slot.drawn.data() + i * pipeline_.draws());
    }
  }

  void assemble_all() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || assembled_ < prepared_; });
      if (stopping_) return;
      Slot& slot = slots_[assembled_ % slots_.size()];
      lock.unlock();
      assemble(slot, 0, slot.indices.size(), workspaces_.front());
      lock.lock();
      ++assembled_;
      changed_.notify_all();
    }
  }

  void assemble_on_team(Slot& slot) {
    const size_t count = slot.indices.size(), parts = workspaces_.size();
    on_team(static_cast<int64_t>(parts),
            [&](int64_t part) { assemble(slot, count * part / parts, count * (part + 1) / parts, workspaces_[part]); });
  }

  // Samples `begin` to `end` of a batch. No tensor operations: the assembling thread must not start a team of OpenMP
  // threads of its own.
  void assemble(Slot& slot, size_t begin, size_t end, SamplePipeline::Workspaces& workspaces) const {
    const size_t count = dataset_->inputs.size();
    std::vector<const std::byte*> data(count);
    std::vector<size_t> bytes(count);
    for (size_t i = 0; i < count; ++i) {
      data[i] = static_cast<const std::byte*>(dataset_->inputs[i].const_data_ptr());
      bytes[i] = dataset_->inputs[i].nbytes() / samples_;
    }
    const auto* targets =
        target_bytes_ > 0 ? static_cast<const std::byte*>(dataset_->targets.const_data_ptr()) : nullptr;
    std::vector<const void*> sources(count);
    for (size_t i = begin; i < end; ++i) {
      const int64_t index = slot.indices[i];
      for (size_t k = 0; k < count; ++k) sources[k] = data[k] + index * bytes[k];
      pipeline_.apply(sources.data(), slot.drawn.data() + i * pipeline_.draws(), workspaces, slot.inputs_data,
                      static_cast<int64_t>(i), options_.channels_last);
      if (targets) std::memcpy(slot.targets_data + i * target_bytes_, targets + index * target_bytes_, target_bytes_);
    }
  }

  const std::shared_ptr<const Dataset> dataset_;
  const SamplePipeline pipeline_;
  BatchOptions options_;
  at::Generator generator_;
  const int64_t samples_;
  const size_t target_bytes_;  // of one sample
  int64_t per_epoch_ = 0, total_ = 0;
  EpochDraws draws_;  // of the epoch being drawn
  std::array<Slot, 2> slots_;
  std::vector<SamplePipeline::Workspaces> workspaces_;  // of the assembling thread, or of each of the team

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t prepared_ = 0, assembled_ = 0, taken_ = 0;  // batches, over all epochs
  bool stopping_ = false;
  std::thread assembler_;  // last: everything above exists when it starts
};

Batches::Batches(std::shared_ptr<const Dataset> dataset, SamplePipeline pipeline, BatchOptions options,
                 at::Generator generator)
    : impl_(std::make_unique<Impl>(std::move(dataset), std::move(pipeline), options, std::move(generator))) {}

Batches::~Batches() = default;

int64_t Batches::per_epoch() const { return impl_->per_epoch(); }
void Batches::prepare() { impl_->prepare(); }
Batch Batches::take() { return impl_->take(); }

}  // namespace incremental
