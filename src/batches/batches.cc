#include "src/batches/batches.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/batches/sampler.h"
#include "src/core/error.h"
#include "src/kernels/team.h"

namespace incremental {

int64_t batches_per_epoch(const BatchOptions& options, int64_t samples) {
  check(options.batch_size >= 1 && options.epochs >= 0, "ERR_INVALID_OPTION",
        "Expected a batch size of at least 1 and no negative number of epochs but received ", options.batch_size,
        " and ", options.epochs);
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

class Batches::Impl {
 public:
  Impl(std::shared_ptr<const Dataset> dataset, Pipeline pipeline, BatchOptions options, at::Generator generator)
      : dataset_(std::move(dataset)),
        pipeline_(std::move(pipeline)),
        options_(options),
        generator_(std::move(generator)),
        samples_(dataset_->labels.size(0)),
        channels_last_(options.channels_last && pipeline_.output_shape().size() == 3) {
    per_epoch_ = batches_per_epoch(options_, samples_);
    options_.batch_size = std::min(options_.batch_size, samples_ + 1);  // more changes nothing but the arithmetic below
    total_ = per_epoch_ * options_.epochs;
    begin();
    const int parts = options_.on_team ? at::get_num_threads() : 1;
    for (int i = 0; i < parts; ++i) workspaces_.push_back(pipeline_.make_workspace());
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
  const std::vector<int64_t>& sample_shape() const { return pipeline_.output_shape(); }

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
    return {slot.inputs.narrow(0, 0, count), slot.labels.narrow(0, 0, count)};
  }

 private:
  void begin() {
    const auto [epoch, step] = std::pair(options_.first_epoch, options_.first_step);
    prepared_ = assembled_ = taken_ = epoch * per_epoch_ + step;
    if (step == 0) return;
    std::lock_guard lock(generator_.mutex());
    order_ = draw_order(*at::check_generator<at::CPUGeneratorImpl>(generator_), samples_, options_.shuffle);
  }

  // One batch being used and one being made take turns in these.
  struct Slot {
    at::Tensor inputs, labels;
    float* inputs_data = nullptr;
    int64_t* labels_data = nullptr;
    std::vector<int64_t> indices;
    std::vector<double> drawn;  // Pipeline::draws() for each of the indices
  };

  // At first use: a run of a single batch needs only one slot.
  void allocate(Slot& slot) {
    if (slot.inputs.defined()) return;
    const int64_t count = std::min(options_.batch_size, samples_);
    std::vector<int64_t> shape = pipeline_.output_shape();
    shape.insert(shape.begin(), count);
    slot.inputs = at::empty(
        shape, at::TensorOptions(at::kFloat)
                   .memory_format(channels_last_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
    slot.labels = at::empty({count}, at::kLong);
    slot.inputs_data = slot.inputs.mutable_data_ptr<float>();
    slot.labels_data = slot.labels.mutable_data_ptr<int64_t>();
    slot.indices.reserve(count);
    slot.drawn.reserve(count * pipeline_.draws());
  }

  void draw(Slot& slot) {
    std::lock_guard lock(generator_.mutex());
    auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
    const int64_t step = prepared_ % per_epoch_;
    if (step == 0) order_ = draw_order(generator, samples_, options_.shuffle);
    const int64_t first = step * options_.batch_size;
    const int64_t last = std::min(first + options_.batch_size, samples_);
    slot.indices.assign(order_.begin() + first, order_.begin() + last);
    slot.drawn.resize(slot.indices.size() * pipeline_.draws());
    for (size_t i = 0; i < slot.indices.size(); ++i) {
      pipeline_.draw(generator, slot.drawn.data() + i * pipeline_.draws());
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
  void assemble(Slot& slot, size_t begin, size_t end, Pipeline::Workspace& workspace) const {
    const auto* samples = static_cast<const std::byte*>(dataset_->inputs.const_data_ptr());
    const size_t sample_bytes = dataset_->inputs.nbytes() / samples_;
    const int64_t* labels = dataset_->labels.const_data_ptr<int64_t>();
    const int64_t output_size = c10::multiply_integers(pipeline_.output_shape());
    for (size_t i = begin; i < end; ++i) {
      const int64_t index = slot.indices[i];
      pipeline_.apply(samples + index * sample_bytes, slot.drawn.data() + i * pipeline_.draws(), workspace,
                      slot.inputs_data + i * output_size, channels_last_);
      slot.labels_data[i] = labels[index];
    }
  }

  const std::shared_ptr<const Dataset> dataset_;
  const Pipeline pipeline_;
  BatchOptions options_;
  at::Generator generator_;
  const int64_t samples_;
  bool channels_last_;
  int64_t per_epoch_ = 0, total_ = 0;
  std::vector<int64_t> order_;  // of the epoch being drawn
  std::array<Slot, 2> slots_;
  std::vector<Pipeline::Workspace> workspaces_;  // of the assembling thread, or of each of the team

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t prepared_ = 0, assembled_ = 0, taken_ = 0;  // batches, over all epochs
  bool stopping_ = false;
  std::thread assembler_;  // last: everything above exists when it starts
};

Batches::Batches(std::shared_ptr<const Dataset> dataset, Pipeline pipeline, BatchOptions options,
                 at::Generator generator)
    : impl_(std::make_unique<Impl>(std::move(dataset), std::move(pipeline), options, std::move(generator))) {}

Batches::~Batches() = default;

int64_t Batches::per_epoch() const { return impl_->per_epoch(); }
const std::vector<int64_t>& Batches::sample_shape() const { return impl_->sample_shape(); }
void Batches::prepare() { impl_->prepare(); }
Batch Batches::take() { return impl_->take(); }

}  // namespace incremental
