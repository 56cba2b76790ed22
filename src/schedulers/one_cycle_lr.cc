#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "src/core/error.h"
#include "src/schedulers/cycled_momentum.h"
#include "src/schedulers/members.h"

namespace incremental {
namespace {

// OneCycleLR of torch/optim/lr_scheduler.py (Smith and Topin 2018, "Super-convergence").
class OneCycleLR : public RateScheduler {
 public:
  OneCycleLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups),
        total_steps_(integer_of(choice, "totalSteps")),
        max_rates_(choice.each("maxLearningRate", groups.size())),
        div_factor_(choice.number("divFactor")),
        final_div_factor_(choice.number("finalDivFactor")),
        is_cosine_(choice.word("annealStrategy") == "cos"),
        momentum_(choice, groups) {
    const auto total = static_cast<double>(total_steps_);
    const double share = choice.number("pctStart");
    phases_.push_back({share * total - 1, "initial_lr", "max_lr", false, true});
    if (choice.boolean("threePhase")) {
      phases_.push_back({2 * share * total - 2, "max_lr", "initial_lr", true, false});
      phases_.push_back({total - 1, "initial_lr", "min_lr", false, false});
    } else {
      phases_.push_back({total - 1, "max_lr", "min_lr", true, false});
    }
    double start = 0;
    for (const Phase& phase : phases_) {
      check(phase.end != start, "ERR_INVALID_OPTION",
            "Expected phases of oneCycleLR() of some length, but with pctStart ", share, " and ", total_steps_,
            " steps one would begin where it ends; give another pctStart");
      start = phase.end;
    }
  }

  void begin() override {
    for (size_t i = 0; i < groups_.size(); ++i) {
      const double initial = divided(max_rates_[i], div_factor_);
      groups_[i].set("initial_lr", initial);
      groups_[i].set("max_lr", max_rates_[i]);
      groups_[i].set("min_lr", divided(initial, final_div_factor_));
    }
    momentum_.begin(groups_);
    RateScheduler::begin();
  }

 private:
  struct Phase {
    double end;  // its last step
    const char* from;
    const char* to;
    bool from_base, to_base;  // of the momentum: the smallest, else the largest
  };

  std::vector<double> next_rates() override {
    check(last_epoch_ <= total_steps_, "ERR_INVALID_OPTION", "Tried to step oneCycleLR() ", last_epoch_,
          " times, but its totalSteps are ", total_steps_, "; give the option the number of all steps of the training");
    const auto step = static_cast<double>(last_epoch_);
    double start = 0;
    size_t i = 0;
    for (; step > phases_[i].end && i + 1 < phases_.size(); ++i) start = phases_[i].end;
    const Phase& phase = phases_[i];
    const double share = divided(step - start, phase.end - start);
    std::vector<double> next(groups_.size());
    for (size_t k = 0; k < next.size(); ++k) {
      next[k] = between(groups_[k].get(phase.from), groups_[k].get(phase.to), share);
    }
    momentum_.set(groups_, [&](size_t k, double, double) {
      const double base = groups_[k].get("base_momentum"), most = groups_[k].get("max_momentum");
      return between(phase.from_base ? base : most, phase.to_base ? base : most, share);
    });
    return next;
  }

  double between(double from, double to, double share) const {
    if (!is_cosine_) return (to - from) * share + from;
    return to + (from - to) / 2.0 * (std::cos(std::numbers::pi * share) + 1);
  }

  int64_t total_steps_;
  std::vector<double> max_rates_;
  double div_factor_, final_div_factor_;
  bool is_cosine_;
  std::vector<Phase> phases_;
  CycledMomentum momentum_;
};

}  // namespace

std::unique_ptr<Scheduler> make_one_cycle_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<OneCycleLR>(choice, groups);
}

}  // namespace incremental
