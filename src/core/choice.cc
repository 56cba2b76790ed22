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

const std::vector<double>& Choice::numbers(const std::string& option, size_t count) const {
  const auto& found = get<std::vector<double>>(*this, option, "numbers");
  check(found.size() == count, "ERR_INVALID_OPTION", "Expected ", count, " numbers for \"", option, "\" of ", kind);
  return found;
}

}  // namespace incremental
