// Targets that a loss can take, and what to do where it cannot.
#pragma once
#include <string>

#include "src/losses/loss.h"

namespace incremental {

// Why a loss does not take targets, and what to do; no text: it does.
struct Objection {
  const char* code = "";
  std::string text, advice;
};

Objection objection_to(const LossPlan& plan, const TargetForm& target);

// What to do where an output does not fit targets; "": nothing is known.
std::string advice_on(const LossPlan& plan, const TargetForm& target, const at::Tensor& output);

}  // namespace incremental
