// What an online learner computes: scores new samples by the version that serves, learns them together with some of the
// replay buffer's, and keeps them there. Equal calls from equal states give equal bits; nothing else goes in: no time,
// no thread's order. lib/online/ decides what is called when, and keeps it in a journal.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/checkpoint/state_dict.h"
#include "src/data/pipeline.h"
#include "src/online/replay.h"
#include "src/program/forward.h"
#include "src/train/sgd.h"
#include "src/train/weights.h"

namespace incremental {

struct LearnerPlan {
  std::shared_ptr<const Program> program;
  std::shared_ptr<const StateDict> state;
  std::vector<std::string> names;              // of the states that it gives out, in order
  std::vector<Transform> transforms, scoring;  // for learning, and for scoring
  std::vector<int64_t> shape;                  // of one sample
  at::ScalarType dtype = at::kByte;            // kByte or kFloat
  int64_t classes = 0;
  SgdOptions sgd;
  double max_gradient_norm = 0;  // 0: no limit
  Numerics numerics;
  ReplayOptions replay;
  uint64_t seed = 0;
  int threads = 1;
  int niceness = 0;
  // A LearnerState's, where it goes on; nothing at the beginning.
  at::Tensor random;
  std::vector<at::Tensor> momentum;  // by the program's parameters, undefined where there is none; or empty
  std::optional<std::vector<at::Tensor>> replayed;
};

// Labelled samples: `inputs` [sample, …] as the plan's shape and dtype, `labels` [sample] int64.
struct Samples {
  at::Tensor inputs, labels;
};

struct Update {
  std::string refused;       // why the weights were left as they were; empty: learned
  double loss = 0;           // mean cross-entropy of the batch, replayed samples included
  double gradient_norm = 0;  // before the limit
  at::Tensor logits;         // [sample, class] float32, of the new samples by the version that serves
};

// All that going on takes besides the plan. Copies.
struct LearnerState {
  std::shared_ptr<const StateDict> model;
  std::shared_ptr<const StateDict> rest;    // `random`, then the momentum buffers by their parameters' numbers
  std::shared_ptr<const StateDict> replay;  // Replay::state()
};

class Learner {
 public:
  // Throws where the plan's parts do not fit each other.
  explicit Learner(const LearnerPlan& plan);

  const LearnerPlan& plan() const { return plan_; }

  // Scores and learns; labels are below the plan's number of classes. `replayed`: how many of the buffer's come along.
  // `keep`: whether the buffer gets the new ones. A loss or gradient that is not finite leaves weights, momentum,
  // buffers and replay buffer as they were.
  //
  // `rules`: the number of the rules that this is computed by. What a journal holds is computed again by the rules that
  // it was written with, for ever to the same bits; other numbers come only under a new one. There is one set so
  // far, 1.
  Update update(int64_t rules, const Samples& samples, const std::shared_ptr<const StateDict>& served, int64_t replayed,
                bool keep);

  // Goes on from these weights, without momentum.
  void replace_weights(const std::shared_ptr<const StateDict>& state);

  // A copy of them, as a version to serve.
  std::shared_ptr<const StateDict> weights() const { return weights_->copy(plan_.names); }

  LearnerState state() const;

 private:
  at::Tensor score(const at::Tensor& inputs, const std::shared_ptr<const StateDict>& served);
  Samples assemble(const Samples& samples, const std::vector<int64_t>& slots);
  // Makes samples of what the pointers point to; `drawn` as Pipeline::draw made it, one for each.
  at::Tensor transform(const Pipeline& pipeline, const std::vector<const std::byte*>& from,
                       const std::vector<double>& drawn) const;
  double clip_gradients() const;
  void bind(const std::shared_ptr<const StateDict>& model, std::vector<at::Tensor> momentum);

  LearnerPlan plan_;
  at::Generator generator_;
  Pipeline pipeline_, scoring_;
  Replay replay_;
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<Forward> forward_;
  std::unique_ptr<Sgd> optimizer_;
  std::shared_ptr<const StateDict> served_;  // that `served_forward_` runs
  std::unique_ptr<Forward> served_forward_;
};

}  // namespace incremental
