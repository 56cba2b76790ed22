#include <map>
#include <string>

#include "src/core/error.h"
#include "src/losses/cross_entropy_loss.h"
#include "src/losses/loss.h"

namespace incremental {
namespace {

template <class Member>
std::unique_ptr<const Loss> make(const Choice& choice) {
  return std::make_unique<const Member>(choice);
}

// The one list of losses.
const std::map<std::string, std::unique_ptr<const Loss> (*)(const Choice&)> kLosses = {
    {"crossEntropyLoss", make<CrossEntropyLoss>},
};

}  // namespace

std::unique_ptr<const Loss> make_loss(const Choice& choice) {
  const auto found = kLosses.find(choice.kind);
  check(found != kLosses.end(), "ERR_INVALID_OPTION", "The addon has no loss of the kind \"", choice.kind, "\"");
  return found->second(choice);
}

}  // namespace incremental
