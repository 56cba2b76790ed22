// Schedulers: they move the rates of parameter groups from step to step, operation by operation in double as
// torch/optim/lr_scheduler.py does, so that every bit agrees. A new one is a file of this folder and a line of
// schedulers.cc.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/core/choice.h"
#include "src/schedulers/group_rates.h"

namespace incremental {

// What a scheduler's options do not say, by the names of its state_dict() in PyTorch: a number, or one for each group.
struct SchedulerState {
  std::map<std::string, std::vector<double>> values;
  std::vector<SchedulerState> schedulers;  // of those that hold others
};

class Scheduler {
 public:
  explicit Scheduler(Groups& groups) : groups_(groups) {}
  virtual ~Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // What PyTorch's constructor computes, the first step included. Once, before all else.
  virtual void begin() = 0;
  // scheduler.step()
  virtual void step() = 0;
  // The same after an epoch, after which a validation may have given a number.
  virtual void step_after_epoch(std::optional<double> monitored) { step(); }

  // For sequentialLR: scheduler._initial_step(), _update_lr(0), and what recursive_undo() does.
  virtual void initial_step() = 0;
  virtual void restart() = 0;
  virtual void undo() = 0;

  // The learning rates after its last step, one for each group.
  const std::vector<double>& last_rates() const { return last_rates_; }

  virtual SchedulerState state() const = 0;
  // What is missing of the state stays as begin() left it. Throws ERR_STATE_FORMAT where a value has another form.
  virtual void restore(const SchedulerState& state) = 0;

 protected:
  std::vector<double> rates() const;

  Groups& groups_;
  std::vector<double> last_rates_;
};

// The subclasses of PyTorch's LRScheduler that compute rates by themselves.
class RateScheduler : public Scheduler {
 public:
  using Scheduler::Scheduler;

  void begin() override;
  void step() override;
  void initial_step() final;
  void restart() final;
  void undo() final { --last_epoch_; }
  SchedulerState state() const override;
  void restore(const SchedulerState& state) override;

 protected:
  // get_lr()
  virtual std::vector<double> next_rates() = 0;
  // _get_closed_form_lr(), or get_lr() where PyTorch has no such function
  virtual std::vector<double> closed_form() { return next_rates(); }
  // Sets the learning rates of the groups.
  void apply(std::vector<double> rates);
  // The learning rates of the groups times a factor.
  std::vector<double> scaled(double factor) const;
  // The same of those that the schedule began with.
  std::vector<double> base_scaled(double factor) const;

  std::vector<double> base_rates_;
  int64_t last_epoch_ = -1;
  int64_t step_count_ = 0;
  bool is_initial_ = false;
};

// Reads the value of this name into `to`, where the state has it.
void take(const SchedulerState& state, const char* name, double& to);
void take(const SchedulerState& state, const char* name, int64_t& to);
void take(const SchedulerState& state, const char* name, std::vector<double>& to);

// The option, which must be an integer.
int64_t integer_of(const Choice& choice, const char* option);

// Throws ERR_INVALID_OPTION where Python would raise ZeroDivisionError.
double divided(double a, double b);

// A scheduler that has begun. It moves `groups`, which must outlive it. Throws ERR_INVALID_OPTION where there is no
// scheduler of this kind, or where its options do not fit the groups.
std::unique_ptr<Scheduler> make_scheduler(const Choice& choice, Groups& groups);

}  // namespace incremental
