#include "src/core/choice.h"

#include "src/core/error.h"

namespace incremental {
namespace {

template <class Value>
Value get(const Choice& choice, const std::string& option, const char* expected) {
  const auto found = choice.options.find(option);
  const Value* value = found == choice.options.end() ? nullptr : std::get_if<Value>(&found->second);
  check(value != nullptr, "ERR_INVALID_OPTION", "Expected ", expected, " for \"", option, "\" of ", choice.kind);
  return *value;
}

}  // namespace

double Choice::number(const std::string& option) const { return get<double>(*this, option, "a number"); }

bool Choice::boolean(const std::string& option) const { return get<bool>(*this, option, "a boolean"); }

}  // namespace incremental
