#include "src/transforms/sample_pipeline.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "src/core/error.h"

namespace incremental {

SamplePipeline::SamplePipeline(const std::vector<InputForm>& inputs,
                               const std::vector<std::vector<Transform>>& transforms, const std::vector<int64_t>& order,
                               const std::vector<at::ScalarType>& types)
    : by_source_(inputs.size(), inputs.size()) {
  const auto count = static_cast<int64_t>(inputs.size());
  check(transforms.size() == inputs.size(), "ERR_INVALID_OPTION", "Expected a list of transforms for each of ", count,
        " inputs but received ", transforms.size());
  check(order.size() == inputs.size() && (types.empty() || types.size() == order.size()), "ERR_INVALID_OPTION",
        "The model takes ", types.empty() ? order.size() : types.size(), " inputs but the samples have ", count);
  for (size_t i = 0; i < order.size(); ++i) {
    check(order[i] >= 0 && order[i] < count && by_source_[order[i]] == inputs.size(), "ERR_INVALID_OPTION",
          "Expected each of ", count, " inputs once in \"order\" of a plan");
    by_source_[order[i]] = i;
    const auto to = types.empty() ? std::nullopt : std::optional(types[i]);
    const auto source = static_cast<size_t>(order[i]);
    parts_.push_back({source, 0, Pipeline(transforms[source], inputs[source], to)});
  }
  for (const size_t part : by_source_) {
    parts_[part].drawn = draws_;
    draws_ += parts_[part].pipeline.draws();
  }
}

std::vector<InputForm> SamplePipeline::outputs() const {
  std::vector<InputForm> outputs;
  for (const Part& part : parts_) {
    outputs.push_back({"", part.pipeline.output_dtype(), part.pipeline.output_shape()});
  }
  return outputs;
}

void SamplePipeline::draw(at::CPUGeneratorImpl& generator, double* drawn) const {
  for (const size_t part : by_source_) parts_[part].pipeline.draw(generator, drawn + parts_[part].drawn);
}

SamplePipeline::Workspaces SamplePipeline::make_workspaces() const {
  Workspaces workspaces;
  for (const Part& part : parts_) workspaces.push_back(part.pipeline.make_workspace());
  return workspaces;
}

std::vector<at::Tensor> SamplePipeline::make_batch(int64_t count, bool channels_last) const {
  std::vector<at::Tensor> batch;
  for (const Part& part : parts_) {
    const bool is_image = channels_last && part.pipeline.makes_images();
    batch.push_back(
        at::empty(batch_shape(count, part.pipeline.output_shape()),
                  at::TensorOptions(part.pipeline.output_dtype())
                      .memory_format(is_image ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous)));
  }
  return batch;
}

void SamplePipeline::apply(const void* const* sources, const double* drawn, Workspaces& workspaces,
                           const std::vector<void*>& outputs, int64_t at, bool channels_last) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const auto& [source, first, pipeline] = parts_[i];
    auto* to = static_cast<std::byte*>(outputs[i]) + at * pipeline.output_bytes();
    pipeline.apply(sources[source], drawn + first, workspaces[i], to, channels_last && pipeline.makes_images());
  }
}

std::vector<void*> memory_of(const std::vector<at::Tensor>& tensors) {
  std::vector<void*> memory;
  memory.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) memory.push_back(tensor.mutable_data_ptr());
  return memory;
}

}  // namespace incremental
