// Losses: scalars of a model's output and the targets that training minimises. A new one is a file of this folder and a
// line of losses.cc.
#pragma once
#include <memory>

#include "src/core/choice.h"
#include "src/core/libtorch.h"
#include "src/core/sample_form.h"

namespace incremental {

class Loss {
 public:
  virtual ~Loss() = default;

  // Throws ERR_SHAPE, or ERR_DATA_FORMAT where there are no targets it can take, unless `output` of `samples` samples
  // fits `target`.
  virtual void check_output(const at::Tensor& output, int64_t samples, const TargetForm& target) const = 0;

  // `output` and `targets`: [sample, …]. The mean, or with kNone the values that it is the mean of.
  virtual at::Tensor operator()(const at::Tensor& output, const at::Tensor& targets,
                                at::Reduction::Reduction reduction = at::Reduction::Mean) const = 0;
};

// Throws ERR_INVALID_OPTION where there is no loss of this kind.
std::unique_ptr<const Loss> make_loss(const Choice& choice);

}  // namespace incremental
