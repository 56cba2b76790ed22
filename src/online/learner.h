// The computation of an online learner: scores new samples by the version that serves, learns them together with some
// of the replay buffer's, and keeps them there. Equal calls from equal states give equal bits; nothing else goes in: no
// time, no thread's order. lib/online/ decides what is called when, and keeps it in a journal.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/averages/average.h"
#include "src/batches/batches.h"
#include "src/core/choice.h"
#include "src/losses/loss.h"
#include "src/online/finite.h"
#include "src/online/judge.h"
#include "src/program/forward.h"
#include "src/replay/replay.h"
#include "src/state/state_dict.h"
#include "src/train/step.h"
#include "src/train/weights.h"
#include "src/transforms/sample_pipeline.h"

namespace incremental {

struct LearnerPlan {
  std::shared_ptr<const Program> program;
  std::shared_ptr<const StateDict> state;
  std::vector<std::string> names;  // of the states that it gives out, in order
  std::vector<InputForm> inputs;   // of one sample
  TargetForm target;
  std::vector<std::vector<Transform>> transforms, scoring;  // of each input: for learning, and for scoring
  std::vector<int64_t> order;                               // for each input of the program, which of these it is
  std::vector<ParameterGroup> groups;
  std::shared_ptr<const LossPlan> loss;  // with losses of single samples
  double max_gradient_norm = 0;          // 0: no limit
  Choice average;                        // of the weights over updates; of no kind: none
  Numerics numerics;
  ReplayOptions replay;
  uint64_t seed = 0;
  int threads = 1;
  int niceness = 0;
  // From a LearnerState, to resume; empty at the beginning.
  at::Tensor random;
  std::vector<Slots> slots;          // by the program's parameters; or empty
  std::vector<at::Tensor> averages;  // likewise
  int64_t averaged = 0;              // updates that these are the average of
  std::optional<std::vector<at::Tensor>> replayed;
};

struct UpdatePlan {
  int64_t rules;                            // see Learner::update
  std::shared_ptr<const StateDict> served;  // the version that scores the new samples; null: the weights that learn do
  int64_t replayed;                         // how many of the buffer's samples come along
  bool keep;                                // whether the buffer gets the new ones
  double rate = 1;                          // learning rates are multiplied by it
};

struct Update {
  std::string refused;             // why the weights were left as they were; empty: learned
  bool needs_company = false;      // refused before anything was drawn: too few samples
  std::vector<int64_t> offenders;  // new samples that were left out, by their positions, each for its own output
  double loss = 0;                 // of the batch, replayed samples included
  double gradient_norm = 0;        // before the limit
  at::Tensor logits;               // [sample, …] float32, by the weights that score, of the others
  at::Tensor losses;               // [sample] float32: their losses; undefined where these follow from the logits
};

// The state to resume from, besides the plan. Copies.
struct LearnerState {
  std::shared_ptr<const StateDict> model;
  std::shared_ptr<const StateDict> rest;     // `random`, then the slots as in Snapshot::rest
  std::shared_ptr<const StateDict> replay;   // Replay::state()
  std::shared_ptr<const StateDict> average;  // averaged_model(); null without an average
};

class Learner {
 public:
  // Throws where the plan's parts do not fit each other.
  explicit Learner(const LearnerPlan& plan);

  const LearnerPlan& plan() const { return plan_; }

  // Scores and learns samples with one input for each of the plan's, in its order, and targets as a data set has them.
  //
  // `rules` is the number of the rules that it follows. What a journal holds is computed again by the rules that
  // it was written with, for ever to the same bits; other numbers come only under a new one.
  // 1: A loss or gradient that is not finite leaves weights, slots, buffers and replay buffer as they were, but not
  //    the generator. None of the new samples is learned.
  // 2: A new sample whose own output, loss or gradient is not finite is an offender: everything is as if it had not
  //    come, and the others are learned. The weights that score and those that learn both judge, in evaluation
  //    mode. A replayed one is left out of this update. Where none is to blame alone, but a loss, a gradient, a buffer
  //    or a weight would not be finite, the update is refused and leaves all but the generator as it was: the next one
  //    draws other samples of the replay buffer.
  Update update(const UpdatePlan& plan, const Batch& samples);

  // Continues from these weights, with an optimizer that remembers nothing and an average of nothing.
  void replace_weights(const std::shared_ptr<const StateDict>& state);

  // Empties the replay buffer.
  void clear_replay() { replay_.clear(); }

  // A copy of the weights to serve: of the average, where there is one.
  std::shared_ptr<const StateDict> weights() const;

  LearnerState state() const;

 private:
  void check_samples(const Batch& samples) const;
  Update update_by_rules_1(const UpdatePlan& plan, const Batch& samples);
  Update update_by_rules_2(const UpdatePlan& plan, const Batch& samples);
  void set_rate(double rate);
  // Learns a batch, or says what would not be finite and leaves no trace but in the generator.
  std::string attempt(const Batch& batch, Update& update);
  // Leaves gradients in the parameters, and batch norm's statistics as the forward pass makes them. Says what of that
  // is not finite, if anything.
  std::string compute_gradients(const Batch& batch, Update& update);
  // Takes back what that did. `buffers`: as they were before.
  void undo(const KeptBuffers& buffers);
  // The samples that cannot be learned whatever comes with them, by the first question that finds any: has it a finite
  // output and loss of its own, a finite gradient, is it learned beside zeros, has it a finite gradient by every label.
  // None: it is only all of them together that are too much.
  std::vector<bool> offenders_in(const Batch& batch);
  // Those with which batch norm makes nothing finite even of zeros.
  std::vector<bool> overwhelming(const Batch& batch);
  // Why so few samples cannot be learned together; empty: they can.
  std::string why_too_few(int64_t samples);
  std::vector<int64_t> draw_replayed(int64_t count);
  void keep_for_replay(const Batch& samples);
  void score(const Batch& samples, const std::shared_ptr<const StateDict>& served, Update& update);
  // The weights that score: those that learn, for a `served` of null.
  struct Scorer {
    Forward& forward;
    const std::vector<at::Tensor>& buffers;
  };
  Scorer scorer_of(const std::shared_ptr<const StateDict>& served);
  // Those of a program that writes into them while it evaluates; otherwise none.
  KeptBuffers kept_in_evaluation(const std::vector<at::Tensor>& buffers) const;
  // The parameters to serve: the average's, where there is one.
  const std::vector<at::Tensor>& averaged() const;
  void add_to_average();
  // The model's batch: the samples and those of the replay buffer's slots, after the transforms.
  Batch assemble(const Batch& samples, const std::vector<int64_t>& slots);
  // Makes samples of what the pointers point to; `drawn` as SamplePipeline::draw made it, one for each.
  std::vector<at::Tensor> transform(const SamplePipeline& pipeline, const std::vector<std::vector<const void*>>& from,
                                    const std::vector<double>& drawn) const;
  void bind(const std::shared_ptr<const StateDict>& model, std::vector<Slots> slots);

  LearnerPlan plan_;
  at::Generator generator_;
  SamplePipeline pipeline_, scoring_;
  Replay replay_;
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<Loss> loss_;  // of offenders
  Variants variants_;
  std::unique_ptr<Step> step_;
  std::unique_ptr<Average> average_;  // or null
  double rate_ = 1;
  GuardedSteps steps_;
  std::optional<bool> needs_company_;        // once it was asked
  std::shared_ptr<const StateDict> served_;  // that `served_forward_` runs
  std::vector<at::Tensor> served_buffers_;   // of that one
  std::unique_ptr<Forward> served_forward_, live_forward_;
};

}  // namespace incremental
