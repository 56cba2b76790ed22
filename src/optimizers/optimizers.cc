#include <map>
#include <string>

#include "src/core/error.h"
#include "src/optimizers/fused_sgd.h"
#include "src/optimizers/members.h"
#include "src/optimizers/optimizer.h"
#include "src/optimizers/sgd.h"

namespace incremental {
namespace {

// In one pass over memory with the bits of PyTorch.
std::unique_ptr<Optimizer> make_sgd(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  return std::make_unique<Sgd>(parameters, SgdOptions(choice));
}

std::unique_ptr<Optimizer> make_captured_sgd(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  const SgdOptions options(choice);
  if (FusedSgd::computes(options)) return std::make_unique<FusedSgd>(parameters, options);
  return std::make_unique<Sgd>(parameters, options);
}

struct Makers {
  MakeOptimizer* make;
  MakeOptimizer* captured = nullptr;      // nullptr: it has none
  MakeShapedOptimizer* shaped = nullptr;  // instead of `make`
};

// The one list of optimizers.
const std::map<std::string, Makers> kOptimizers = {
    {"sgd", {make_sgd, make_captured_sgd}},
    {"adam", {make_adam}},
    {"adamW", {make_adam_w}},
    {"nAdam", {make_n_adam}},
    {"rAdam", {make_r_adam}},
    {"adamax", {make_adamax}},
    {"adagrad", {make_adagrad}},
    {"adadelta", {make_adadelta}},
    {"rmsprop", {make_rmsprop}},
    {"rprop", {make_rprop}},
    {"asgd", {make_asgd}},
    {"adafactor", {nullptr, nullptr, make_adafactor}},
    {"muon", {nullptr, nullptr, make_muon}},
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          OptimizerKernels kernels, ParameterShapes shapes) {
  const auto found = kOptimizers.find(choice.kind);
  check(found != kOptimizers.end(), "ERR_INVALID_OPTION", "The addon has no optimizer of the kind \"", choice.kind,
        "\"");
  const auto& [make, captured, shaped] = found->second;
  const bool is_fast = kernels != OptimizerKernels::kExact;
  if (shaped != nullptr) {
    for (size_t i = shapes.size(); i < parameters.size(); ++i) shapes.push_back(parameters[i].sizes().vec());
    return shaped(choice, parameters, shapes, is_fast);
  }
  const bool captures = kernels == OptimizerKernels::kCaptured && captured != nullptr;
  return (captures ? captured : make)(choice, parameters, is_fast);
}

void drop_gradients(const std::vector<at::Tensor>& parameters) {
  for (const at::Tensor& parameter : parameters) parameter.mutable_grad() = at::Tensor();
}

}  // namespace incremental
