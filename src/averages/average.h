// Averages of the weights that a run goes through, as torch.optim.swa_utils.AveragedModel keeps them beside a model. A
// new one is a file of this folder and a line of averages.cc.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "src/core/choice.h"
#include "src/core/libtorch.h"

namespace incremental {

class Average {
 public:
  // Both, of `weights`, are called after each: a step of the optimizer, and a whole epoch, counted from 1.
  virtual void after_step(const std::vector<at::Tensor>& weights) {}
  virtual void after_epoch(const std::vector<at::Tensor>& weights, int64_t epoch) {}
  virtual ~Average() = default;

  // True where statistics of batch norms are to be computed again for the average, since no step ever had such weights.
  virtual bool needs_statistics() const { return false; }

  // How many weights it is the average of; and itself, empty where it is of none.
  int64_t count() const { return count_; }
  const std::vector<at::Tensor>& weights() const { return averaged_; }

  // Continues from copies of these.
  void restore(const std::vector<at::Tensor>& averaged, int64_t count);

 protected:
  // AveragedModel.update_parameters(): the first weights are copied, later ones averaged.
  void add(const std::vector<at::Tensor>& weights);

 private:
  // Averages one of the weights in place, after count() others.
  virtual void average(const at::Tensor& averaged, const at::Tensor& weight) const = 0;

  std::vector<at::Tensor> averaged_;
  int64_t count_ = 0;
};

// nullptr for no choice, whose kind is empty. Throws ERR_INVALID_OPTION where there is no average of this kind.
std::unique_ptr<Average> make_average(const Choice& choice);

}  // namespace incremental
