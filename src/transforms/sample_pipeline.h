// All inputs of a sample, each with its transforms. Random numbers are drawn input after input, in the order that the
// samples have them; results come in the order that the model takes.
#pragma once
#include <vector>

#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
#include "src/transforms/pipeline.h"

namespace incremental {

class SamplePipeline {
 public:
  // One input of the model.
  struct Part {
    size_t source;  // the input of the samples that it is made of
    size_t drawn;   // where its numbers begin among those of a sample
    Pipeline pipeline;
  };

  // `transforms`: for each of `inputs`. `order`: for each input of the model, which of `inputs` it is; `types`: what it
  // takes, or empty: see Pipeline. Throws ERR_INVALID_OPTION where `order` does not name each of `inputs` once.
  SamplePipeline(const std::vector<InputForm>& inputs, const std::vector<std::vector<Transform>>& transforms,
                 const std::vector<int64_t>& order, const std::vector<at::ScalarType>& types);

  const std::vector<Part>& parts() const { return parts_; }

  // The form of the model's inputs when all is done. They have no names.
  std::vector<InputForm> outputs() const;

  // How many random numbers one sample needs. The caller of `draw` holds the generator's mutex.
  size_t draws() const { return draws_; }
  void draw(at::CPUGeneratorImpl& generator, double* drawn) const;

  using Workspaces = std::vector<Pipeline::Workspace>;
  Workspaces make_workspaces() const;

  // Tensors for `count` samples, uninitialised: one for each input of the model. `channels_last`: the memory of images.
  std::vector<at::Tensor> make_batch(int64_t count, bool channels_last) const;

  // Makes sample `at` of a batch that make_batch() made. `sources`: the sample's elements, for each input of the
  // samples. `outputs`: the memory of the batch's tensors.
  void apply(const void* const* sources, const double* drawn, Workspaces& workspaces, const std::vector<void*>& outputs,
             int64_t at, bool channels_last) const;

 private:
  std::vector<Part> parts_;        // by the model's inputs
  std::vector<size_t> by_source_;  // the part of each of the samples' inputs
  size_t draws_ = 0;
};

// The memory of tensors.
std::vector<void*> memory_of(const std::vector<at::Tensor>& tensors);

}  // namespace incremental
