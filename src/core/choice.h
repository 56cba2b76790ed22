// A member of a family (an optimizer, a scheduler …) as a plan names it: its kind, and its options by name.
#pragma once
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace incremental {

struct Choice {
  std::string kind;
  std::map<std::string, std::variant<bool, double, std::string, std::vector<double>>> options;
  std::map<std::string, std::vector<Choice>> members;  // options that are lists of members, never empty

  // Each throws ERR_INVALID_OPTION naming the option where it is missing or of another type: there are no defaults.
  double number(const std::string& option) const;
  bool boolean(const std::string& option) const;
  const std::string& word(const std::string& option) const;
  // A list of `count` numbers.
  const std::vector<double>& numbers(const std::string& option, size_t count) const;
  // One of any length.
  const std::vector<double>& numbers(const std::string& option) const;
  // `count` numbers: a list of so many, or one number for all.
  std::vector<double> each(const std::string& option, size_t count) const;
  const std::vector<Choice>& choices(const std::string& option) const;
};

}  // namespace incremental
