// The one exception of the core: a stable code and a message for a person. src/napi/error.cc turns it into JavaScript's
// LearnError; the codes are listed in lib/core/errors.ts.
#pragma once
#include <stdexcept>
#include <string>

#include "src/core/libtorch.h"

namespace incremental {

class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

// Throws Error{code, parts…} unless `condition` holds. The parts are only formatted when it does not.
template <class... Parts>
void check(bool condition, const char* code, const Parts&... parts) {
  if (!condition) throw Error(code, c10::str(parts...));
}

}  // namespace incremental
