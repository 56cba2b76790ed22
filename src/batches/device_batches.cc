#include "src/batches/device_batches.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#include "src/batches/device_samples.h"
#include "src/batches/epoch_draws.h"
#include "src/core/error.h"

namespace incremental {

class DeviceBatches::Impl {
 public:
  Impl(const std::shared_ptr<const Dataset>& dataset, SamplePipeline pipeline, BatchOptions options,
       at::Generator generator, c10::Device device, at::Tensor random)
      : pipeline_(std::move(pipeline)),
        options_(options),
        generator_(std::move(generator)),
        device_(device),
        random_(std::move(random)),
        samples_(dataset->samples()),
        per_epoch_(batches_per_epoch(options_, samples_)),
        maker_(*dataset, pipeline_, device) {
    used_ = options_.drop_last ? per_epoch_ * options_.batch_size : samples_;
    const auto integers = at::device(device).dtype(at::kInt);
    table_ = at::zeros({used_, DeviceSamples::row_length(pipeline_)}, integers);
    place_ = at::zeros({1}, integers);
    ahead_ = at::arange(used_, integers);
    if (options_.first_epoch < options_.epochs) draw_next(options_.first_epoch);
  }

  ~Impl() {
    if (next_.valid()) next_.wait();
  }

  int64_t per_epoch() const { return per_epoch_; }
  int64_t sample_elements() const {
    int64_t elements = 0;
    for (const InputForm& input : pipeline_.outputs()) elements += c10::multiply_integers(input.shape);
    return elements;
  }
  int64_t batch_size(int64_t step) const { return std::min(options_.batch_size, used_ - step * options_.batch_size); }

  void begin_epoch() {
    epoch_ = next_.get();
    // The copy continues while the next epoch is drawn: the allocator of pinned memory sees to it that this one's is
    // not given to another meanwhile.
    table_.copy_(epoch_.rows, /*non_blocking=*/true);
    place_.fill_(static_cast<int32_t>(epoch_.first_step * options_.batch_size));
    epoch_.rows = at::Tensor();
    if (epoch_.number + 1 < options_.epochs) draw_next(epoch_.number + 1);
  }

  Batch take(int64_t samples) {
    at::NoGradGuard no_grad;
    const at::Tensor rows = table_.index_select(0, ahead_.narrow(0, 0, samples).add(place_));
    place_.add_(samples);
    return maker_.make(rows);
  }

  at::Tensor epoch_random() const { return epoch_.before; }

  // Only the state before the epoch is kept: what follows from it is drawn again, which takes a millisecond. What
  // workers draw changes nothing of it.
  at::Tensor random_before(int64_t step) const {
    if (step == per_epoch_) return epoch_.after;
    at::Generator generator = at::detail::createCPUGenerator();
    generator.set_state(epoch_.before);
    begin(generator, epoch_.first_step);
    if (options_.workers > 0) return generator.get_state();
    auto& drawing = *at::check_generator<at::CPUGeneratorImpl>(generator);
    std::vector<double> drawn(pipeline_.draws());
    const int64_t count = std::min((step - epoch_.first_step) * options_.batch_size, used_);
    for (int64_t i = 0; i < count; ++i) pipeline_.draw(drawing, drawn.data());
    return generator.get_state();
  }

 private:
  struct Epoch {
    int64_t number = 0, first_step = 0;
    at::Tensor rows;           // table_, on the host
    at::Tensor before, after;  // the generator's states
  };

  // Draws the order of the samples, and leaves the generator as it is before the batch of `first_step`.
  EpochDraws begin(at::Generator& generator, int64_t first_step) const {
    EpochDraws draws(*at::check_generator<at::CPUGeneratorImpl>(generator), samples_, options_.shuffle,
                     options_.workers);
    if (first_step > 0 && random_.defined()) generator.set_state(random_);
    return draws;
  }

  void draw_next(int64_t number) {
    next_ = std::async(std::launch::async, [this, number] { return draw(number); });
  }

  // No tensor operations that start a team of OpenMP threads: this runs on a thread of its own.
  Epoch draw(int64_t number) {
    Epoch epoch;
    epoch.number = number;
    epoch.first_step = number == options_.first_epoch ? options_.first_step : 0;
    epoch.before = generator_.get_state();
    const EpochDraws draws = begin(generator_, epoch.first_step);
    draws.skip_to(epoch.first_step, options_.batch_size, pipeline_);
    epoch.rows = at::empty(table_.sizes(), at::dtype(at::kInt).pinned_memory(!device_.is_cpu()));
    auto& generator = *at::check_generator<at::CPUGeneratorImpl>(generator_);
    std::vector<double> drawn(pipeline_.draws());
    const int64_t length = table_.size(1), first = epoch.first_step * options_.batch_size;
    auto* rows = epoch.rows.mutable_data_ptr<int32_t>();
    std::fill_n(rows, first * length, 0);
    for (int64_t i = first; i < used_; ++i) {
      pipeline_.draw(draws.generator_of(i / options_.batch_size, generator), drawn.data());
      DeviceSamples::write_row(pipeline_, draws.order()[i], drawn.data(), rows + i * length);
    }
    epoch.after = generator_.get_state();
    return epoch;
  }

  const SamplePipeline pipeline_;
  const BatchOptions options_;
  at::Generator generator_;
  const c10::Device device_;
  const at::Tensor random_;
  const int64_t samples_, per_epoch_;
  int64_t used_ = 0;  // samples in an epoch: not those that drop_last leaves out
  DeviceSamples maker_;
  at::Tensor table_;  // [sample of the epoch, DeviceSamples::row_length()]
  at::Tensor place_;  // [1]: the next sample of the epoch
  at::Tensor ahead_;  // 0, 1, 2 …
  Epoch epoch_;
  std::future<Epoch> next_;
};

DeviceBatches::DeviceBatches(const std::shared_ptr<const Dataset>& dataset, SamplePipeline pipeline,
                             BatchOptions options, at::Generator generator, c10::Device device, at::Tensor random)
    : impl_(std::make_unique<Impl>(dataset, std::move(pipeline), options, std::move(generator), device,
                                   std::move(random))) {}

DeviceBatches::~DeviceBatches() = default;

int64_t DeviceBatches::per_epoch() const { return impl_->per_epoch(); }
int64_t DeviceBatches::batch_size(int64_t step) const { return impl_->batch_size(step); }
int64_t DeviceBatches::sample_elements() const { return impl_->sample_elements(); }
void DeviceBatches::begin_epoch() { impl_->begin_epoch(); }
Batch DeviceBatches::take(int64_t samples) { return impl_->take(samples); }
at::Tensor DeviceBatches::epoch_random() const { return impl_->epoch_random(); }
at::Tensor DeviceBatches::random_before(int64_t step) const { return impl_->random_before(step); }

}  // namespace incremental
