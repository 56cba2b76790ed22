#include "src/core/choice.h"

#include "src/core/error.h"

namespace incremental {
namespace {

template <class Value>
const Value& get(const Choice& choice, const std::string& option, const char* expected) {
  const auto found = choice.options.find(option);
  const Value* value = found == choice.options.end() ? nullptr : std::get_if<Value>(&found->second);
  check(value != nullptr, "ERR_INVALID_OPTION", "Expected ", expected, " for \"", option, "\" of ", choice.kind);
  return *value;
}

}  // namespace

double Choice::number(const std::string& option) const { return get<double>(*this, option, "a number"); }

bool Choice::boolean(const std::string& option) const { return get<bool>(*this, option, "a boolean"); }

const std::string& Choice::word(const std::string& option) const { return get<std::string>(*this, option, "a string"); }

const std::vector<double>& Choice::numbers(const std::string& option) const {
  return get<std::vector<double>>(*this, option, "numbers");
}

const std::vector<double>& Choice::numbers(const std::string& option, size_t count) const {
  const auto& found = numbers(option);
  check(found.size() == count, "ERR_INVALID_OPTION", "Expected ", count, " numbers for \"", option, "\" of ", kind);
  return found;
}

std::vector<double> Choice::each(const std::string& option, size_t count) const {
  const auto found = options.find(option);
  if (found != options.end() && std::holds_alternative<double>(found->second)) {
    return std::vector<double>(count, std::get<double>(found->second));
  }
  return numbers(option, count);
}

const std::vector<Choice>& Choice::choices(const std::string& option) const {
  const auto found = members.find(option);
  check(found != members.end(), "ERR_INVALID_OPTION", "Expected members for \"", option, "\" of ", kind);
  return found->second;
}

}  // namespace incremental
