// Losses: scalars of a model's outputs and the labels that training minimises. A new one is a file of this folder and a
// line of losses.cc.
#pragma once
#include <memory>

#include "src/core/choice.h"
#include "src/core/libtorch.h"

namespace incremental {

class Loss {
 public:
  virtual ~Loss() = default;

  // `logits`: [sample, class]; `labels`: [sample] int64. The mean over the samples, or with kNone one value for each.
  virtual at::Tensor operator()(const at::Tensor& logits, const at::Tensor& labels,
                                at::Reduction::Reduction reduction = at::Reduction::Mean) const = 0;
};

// Throws ERR_INVALID_OPTION where there is no loss of this kind.
std::unique_ptr<const Loss> make_loss(const Choice& choice);

}  // namespace incremental
