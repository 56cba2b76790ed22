#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/core/error.h"
#include "src/schedulers/members.h"

namespace incremental {
namespace {

// ReduceLROnPlateau of torch/optim/lr_scheduler.py.
class ReduceLROnPlateau : public Scheduler {
 public:
  ReduceLROnPlateau(const Choice& choice, Groups& groups)
      : Scheduler(groups),
        is_min_(choice.word("mode") == "min"),
        is_relative_(choice.word("thresholdMode") == "rel"),
        factor_(choice.number("factor")),
        patience_(integer_of(choice, "patience")),
        threshold_(choice.number("threshold")),
        cooldown_(integer_of(choice, "cooldown")),
        min_rates_(choice.each("minLearningRate", groups.size())),
        eps_(choice.number("eps")) {}

  void begin() override {
    last_rates_ = rates();
    best_ = is_min_ ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }

  void step_after_epoch(std::optional<double> monitored) override {
    if (!monitored) return;
    ++last_epoch_;
    if (is_better(*monitored)) {
      best_ = *monitored;
      bad_epochs_ = 0;
    } else {
      ++bad_epochs_;
    }
    if (cooldown_left_ > 0) {
      --cooldown_left_;
      bad_epochs_ = 0;
    }
    if (bad_epochs_ > patience_) {
      reduce();
      cooldown_left_ = cooldown_;
      bad_epochs_ = 0;
    }
    last_rates_ = rates();
  }

  // No scheduler that holds others takes it.
  void step() override { refuse(); }
  void initial_step() override { refuse(); }
  void restart() override { refuse(); }
  void undo() override { refuse(); }

  SchedulerState state() const override {
    return {{{"last_epoch", {static_cast<double>(last_epoch_)}},
             {"_last_lr", last_rates_},
             {"best", {best_}},
             {"cooldown_counter", {static_cast<double>(cooldown_left_)}},
             {"num_bad_epochs", {static_cast<double>(bad_epochs_)}}},
            {}};
  }

  void restore(const SchedulerState& state) override {
    take(state, "last_epoch", last_epoch_);
    take(state, "_last_lr", last_rates_);
    take(state, "best", best_);
    take(state, "cooldown_counter", cooldown_left_);
    take(state, "num_bad_epochs", bad_epochs_);
  }

 private:
  static void refuse() {
    check(false, "ERR_INVALID_OPTION",
          "reduceLROnPlateau() follows a monitored number and steps after epochs, by itself");
  }

  bool is_better(double value) const {
    if (is_min_) return value < (is_relative_ ? best_ * (1.0 - threshold_) : best_ - threshold_);
    return value > (is_relative_ ? best_ * (threshold_ + 1.0) : best_ + threshold_);
  }

  void reduce() {
    for (size_t i = 0; i < groups_.size(); ++i) {
      const double old_rate = groups_[i].learning_rate;
      const double reduced = old_rate * factor_;
      const double new_rate = min_rates_[i] > reduced ? min_rates_[i] : reduced;
      if (old_rate - new_rate > eps_) groups_[i].learning_rate = new_rate;
    }
  }

  bool is_min_, is_relative_;
  double factor_;
  int64_t patience_;
  double threshold_;
  int64_t cooldown_;
  std::vector<double> min_rates_;
  double eps_;
  int64_t last_epoch_ = 0;
  double best_ = 0;
  int64_t cooldown_left_ = 0, bad_epochs_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_reduce_lr_on_plateau(const Choice& choice, Groups& groups) {
  return std::make_unique<ReduceLROnPlateau>(choice, groups);
}

}  // namespace incremental
