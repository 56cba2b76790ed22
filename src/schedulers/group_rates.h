// Rates of a parameter group: the numbers of its optimizer that schedulers move.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace incremental {

struct GroupRates {
  double learning_rate = 0;
  std::optional<double> momentum;  // of optimizers that have this option
  std::optional<double> beta1;     // the first of betas, of optimizers that have these
  // What schedulers remember in the group, as in its state_dict() in PyTorch, in the order in which it came:
  // initial_lr, max_lr, min_lr, max_momentum, base_momentum.
  std::vector<std::pair<std::string, double>> kept;

  // The first throws ERR_STATE_FORMAT where nothing of this name is kept.
  double get(const std::string& name) const;
  void set(const std::string& name, double value);
  void set_default(const std::string& name, double value);
};

using Groups = std::vector<GroupRates>;

}  // namespace incremental
