// torch.nn.CrossEntropyLoss without weights of classes: of indices of classes, or of a probability for each class.
#pragma once
#include <algorithm>
#include <vector>

#include "src/core/error.h"
#include "src/losses/loss.h"

namespace incremental {

class CrossEntropyLoss : public Loss {
 public:
  explicit CrossEntropyLoss(const Choice&) {}

  void check_output(const at::Tensor& output, int64_t samples, const TargetForm& target) const override {
    check(target.kind != TargetKind::kNone, "ERR_DATA_FORMAT",
          "The samples have no targets, which crossEntropyLoss needs");
    if (!target.holds_indices()) {
      // An output of one axis would be taken for the classes of a single sample.
      check(!target.shape.empty(), "ERR_SHAPE",
            "crossEntropyLoss needs a number for each class, but the target of a sample is one number");
      const std::vector<int64_t> wanted = batch_shape(samples, target.shape);
      check(output.sizes() == wanted, "ERR_SHAPE", "Expected the model to return ", at::IntArrayRef(wanted),
            ", a number for each of the targets, but it returned ", output.sizes());
      return;
    }
    const at::IntArrayRef positions = output.sizes().slice(std::min<int64_t>(2, output.dim()));
    check(output.dim() >= 2 && output.size(0) == samples && positions == target.shape, "ERR_SHAPE",
          "Expected the model to return [", samples, ", classes", positions_text(target.shape), "] for a batch of ",
          samples, " but it returned ", output.sizes());
    check(output.size(1) >= target.classes, "ERR_SHAPE", "The data set has ", target.classes,
          " classes but the model returns ", output.size(1));
  }

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& targets,
                        at::Reduction::Reduction reduction) const override {
    return at::cross_entropy_loss(output, targets, {}, reduction);
  }

 private:
  static std::string positions_text(const std::vector<int64_t>& shape) {
    std::string text;
    for (const int64_t size : shape) text += ", " + std::to_string(size);
    return text;
  }
};

}  // namespace incremental
