#include "src/program/default_generator.h"

#include <string>
#include <string_view>
#include <unordered_set>

namespace incremental {
namespace {

std::mutex& turns() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

DefaultGeneratorScope::DefaultGeneratorScope(const at::Generator& generator)
    : turn_(turns()), run_(generator), process_(at::detail::getDefaultCPUGenerator()), before_(process_.get_state()) {
  process_.set_state(run_.get_state());
}

DefaultGeneratorScope::~DefaultGeneratorScope() {
  run_.set_state(process_.get_state());
  process_.set_state(before_);
}

bool draws_by_itself(const std::string& op) {
  static const std::unordered_set<std::string_view> kNames{"aten::dropout",
                                                           "aten::dropout_",
                                                           "aten::feature_dropout",
                                                           "aten::feature_dropout_",
                                                           "aten::alpha_dropout",
                                                           "aten::alpha_dropout_",
                                                           "aten::feature_alpha_dropout",
                                                           "aten::feature_alpha_dropout_",
                                                           "aten::rrelu",
                                                           "aten::rrelu_",
                                                           "aten::lstm",
                                                           "aten::gru",
                                                           "aten::rnn_tanh",
                                                           "aten::rnn_relu",
                                                           "aten::rand_like",
                                                           "aten::randn_like",
                                                           "aten::rand",
                                                           "aten::randn",
                                                           "aten::randint",
                                                           "aten::randint_like",
                                                           "aten::randperm",
                                                           "aten::scaled_dot_product_attention"};
  return kNames.count(op) > 0;
}

}  // namespace incremental
