// Losses: numbers of a model's outputs and the targets that training minimises. Each is a fragment of a program over
// named values, made by a file of lib/losses/ and run by the executor; nothing here knows any of them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
#include "src/datasets/dataset.h"
#include "src/losses/axes.h"
#include "src/program/executor.h"
#include "src/program/program.h"

namespace incremental {

// What lib/losses/plan.ts hands over.
struct LossPlan {
  struct Output {
    std::string name;  // in the programs
    int64_t index;     // among the model's outputs
    Axes axes;
    bool is_not_negative;  // no number of it may be below 0
  };
  struct Target {
    TargetKind kind;
    Axes axes;
  };
  struct Constant {
    std::string name;
    Axes axes;  // one or none
    std::vector<double> data;
  };

  std::string kind;  // for messages
  bool is_sum = false;
  std::vector<Output> outputs;
  std::vector<Target> targets;  // empty: it takes none
  bool takes_signs = false;     // targets are 1 or -1
  std::vector<Constant> constants;
  std::optional<int64_t> ignored_index;  // counts as no class
  bool is_sum_per_sample = false;        // the loss of a sample of several numbers
  bool is_log_likelihood = false;        // the loss of a sample is -log softmax(output)[class]
  // Over the outputs, `target` and `samples`. `each`: the losses that `whole` reduces, [sample, …]. `divisor`: what a
  // mean over indices of classes is divided by.
  Program whole;
  std::optional<Program> each, divisor;
};

class Loss {
 public:
  // Throws where the loss takes no such targets. `is_lenient`: numbers below 0 where none may be make the losses of
  // their samples NaN; otherwise they throw.
  Loss(std::shared_ptr<const LossPlan> plan, TargetForm target, bool is_lenient = false);

  // The loss of a batch: a number. `outputs`: all of the model's. `targets`: [sample, …], or undefined. Throws
  // ERR_SHAPE where the outputs do not fit.
  at::Tensor operator()(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples);

  // The losses that it is made of: [sample, …].
  at::Tensor each(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples);

  // The same for samples: [sample], means or sums of those that count.
  at::Tensor per_sample(const std::vector<at::Tensor>& outputs, const at::Tensor& targets, int64_t samples);

  // What a mean is divided by, or the number of samples: losses of batches add up as loss × divisor, and their mean is
  // that sum over the sum of the divisors. A sum is counted once.
  double divisor(const at::Tensor& targets, int64_t samples);
  double total(double loss, double divisor) const { return plan_->is_sum ? loss : loss * divisor; }

  // The output of predictions: [samples, classes, …] where it has classes.
  at::Tensor prediction(const std::vector<at::Tensor>& outputs) const;

  // True if it takes indices of classes, or a number for each of them: an output has an axis of classes.
  bool has_classes() const;
  bool is_log_likelihood() const { return plan_->is_log_likelihood; }
  const TargetForm& target() const { return target_; }
  // 1 for each target that is the index of a class and counts: bool, in their shape.
  at::Tensor counted(const at::Tensor& targets) const;

 private:
  // A program ready to run on tensors of one type.
  struct Prepared {
    std::optional<Executor> executor;
    std::vector<int64_t> sources;  // of its inputs: an output of the plan's, or one of those below
    c10::ScalarType dtype = at::kFloat;
    c10::Device device = c10::kCPU;
  };

  std::vector<at::Tensor> fitted(const std::vector<at::Tensor>& outputs, int64_t samples) const;
  at::Tensor squeezed(const LossPlan::Output& wanted, const at::Tensor& output, int64_t samples) const;
  at::Tensor checked_values(const LossPlan::Output& wanted, const at::Tensor& output) const;
  at::Tensor run(Prepared& prepared, const Program& program, const std::vector<at::Tensor>& outputs,
                 const at::Tensor& targets, int64_t samples);
  void prepare(Prepared& prepared, const Program& program, const at::Tensor& like) const;

  std::shared_ptr<const LossPlan> plan_;
  TargetForm target_;
  bool is_lenient_;
  const LossPlan::Target* taken_ = nullptr;  // null: it takes none
  Prepared whole_, each_, divisor_;
};

// The loss of a data set, whose targets are looked at: a target that it cannot take throws ERR_DATA_FORMAT, naming the
// sample. Classes that are ignored are not among those that the model must have.
std::unique_ptr<Loss> make_loss(const std::shared_ptr<const LossPlan>& plan, const Dataset& dataset);

}  // namespace incremental
