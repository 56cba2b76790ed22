// Sums: numbers of a model's predictions from which metrics are computed, such as hits and counts of each class. Those
// of parts merge into those of the whole. A new kind is a file of this folder, and a line of members.h and of sums.cc.
// lib/metrics/sums/ has the same sums of single predictions, and the layouts of their states.
#pragma once
#include <memory>

#include "src/core/choice.h"
#include "src/core/libtorch.h"

namespace incremental {

// Some predictions and their targets, on one device.
class Predictions {
 public:
  Predictions(at::Tensor outputs, at::Tensor targets);

  // [prediction, class] where targets are indices of classes, otherwise [prediction, number of the target].
  const at::Tensor& outputs() const { return outputs_; }
  // [prediction] int64 indices, otherwise [prediction, number] float64.
  const at::Tensor& targets() const { return targets_; }
  bool hold_indices() const { return targets_.dim() == 1; }
  int64_t count() const { return outputs_.size(0); }
  int64_t size() const { return outputs_.size(1); }

  // The outputs in float64.
  const at::Tensor& exact() const;
  // Of each class: [prediction, class] float64.
  const at::Tensor& log_probabilities() const;
  // [prediction] bool: whether the largest output is finite. Of a NaN, argmax would make a class like any other.
  const at::Tensor& finite() const;

 private:
  at::Tensor outputs_, targets_;
  mutable at::Tensor exact_, log_probabilities_, finite_;  // once they are asked for
};

class Sums {
 public:
  virtual ~Sums() = default;

  // Adds predictions, which are as many numbers wide as those before; there may be none of them.
  virtual void add(const Predictions& predictions) = 0;

  // [number] float64. Of what was added, at least once.
  virtual at::Tensor state() const = 0;
};

// Sums of parts are added up.
class AdditiveSums : public Sums {
 public:
  void add(const Predictions& predictions) final;
  at::Tensor state() const final { return state_; }

 protected:
  // [number], as long for all predictions of a width.
  virtual at::Tensor of(const Predictions& predictions) const = 0;

 private:
  at::Tensor state_;
};

// `samples`: how many the sums are taken of in all. Throws ERR_INVALID_OPTION where there are no sums of this kind.
std::unique_ptr<Sums> make_sums(const Choice& choice, int64_t samples);

}  // namespace incremental
