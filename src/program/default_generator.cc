#include "src/program/default_generator.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

std::mutex& turns() {
  static std::mutex mutex;
  return mutex;
}

// False where it is not given.
bool is_zero(const Argument* given) {
  if (given == nullptr) return false;
  if (auto number = std::get_if<double>(given)) return *number == 0;
  if (auto number = std::get_if<Float>(given)) return number->value == 0;
  auto integer = std::get_if<Int>(given);
  return integer != nullptr && integer->value == 0;
}

}  // namespace

DefaultGeneratorScope::DefaultGeneratorScope(const at::Generator& generator)
    : turn_(turns()),
      run_(generator),
      process_(at::globalContext().defaultGenerator(generator.device())),
      before_(process_.get_state()) {
  process_.set_state(run_.get_state());
}

DefaultGeneratorScope::~DefaultGeneratorScope() {
  run_.set_state(process_.get_state());
  process_.set_state(before_);
}

bool draws_by_itself(const Node& node, Mode mode) {
  // These draw only as an argument says: a dropout by its probability, or by the mode.
  static const std::unordered_map<std::string_view, std::string_view> kDropouts{
      {"aten::dropout", "train"},
      {"aten::dropout_", "train"},
      {"aten::feature_dropout", "train"},
      {"aten::feature_dropout_", "train"},
      {"aten::alpha_dropout", "train"},
      {"aten::alpha_dropout_", "train"},
      {"aten::feature_alpha_dropout", "train"},
      {"aten::feature_alpha_dropout_", "train"},
      {"aten::lstm", "train"},
      {"aten::gru", "train"},
      {"aten::rnn_tanh", "train"},
      {"aten::rnn_relu", "train"}};
  static const std::unordered_set<std::string_view> kAlways{"aten::rand_like", "aten::randn_like", "aten::rand",
                                                            "aten::randn",     "aten::randint",    "aten::randint_like",
                                                            "aten::randperm"};
  if (kAlways.count(node.op) > 0) return true;
  if (node.op == "aten::scaled_dot_product_attention") {
    const Argument* probability = argument_of(node, "dropout_p");
    return probability != nullptr && !is_zero(probability);
  }
  const auto dropout = kDropouts.find(node.op);
  if (dropout == kDropouts.end()) return false;
  const Argument* trains = argument_of(node, std::string(dropout->second));
  const bool* given = trains != nullptr ? std::get_if<bool>(trains) : nullptr;
  return (given != nullptr ? *given : mode == Mode::kTraining) && !is_zero(argument_of(node, "dropout")) &&
         !is_zero(argument_of(node, "p"));
}

}  // namespace incremental
