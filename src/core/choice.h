// A member of a family, such as an optimizer, as a plan names it: its kind, and its options by name.
#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace incremental {

struct Choice {
  std::string kind;
  std::map<std::string, std::variant<bool, double, std::vector<double>>> options;

  // Each throws ERR_INVALID_OPTION naming the option where it is missing or of another type: there are no defaults.
  double number(const std::string& option) const;
  bool boolean(const std::string& option) const;
  // A list of `count` numbers.
  const std::vector<double>& numbers(const std::string& option, size_t count) const;
};

}  // namespace incremental
