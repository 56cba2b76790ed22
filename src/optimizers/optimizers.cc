#include <map>
#include <string>

#include "src/core/error.h"
#include "src/optimizers/fused_sgd.h"
#include "src/optimizers/optimizer.h"
#include "src/optimizers/sgd.h"

namespace incremental {
namespace {

using Make = std::unique_ptr<Optimizer> (*)(const Choice& choice, const std::vector<at::Tensor>& parameters);

template <class Member>
std::unique_ptr<Optimizer> make(const Choice& choice, const std::vector<at::Tensor>& parameters) {
  return std::make_unique<Member>(parameters, typename Member::Options(choice));
}

struct Makers {
  Make exact, captured;
};

// The one list of optimizers.
const std::map<std::string, Makers> kOptimizers = {
    {"sgd", {make<Sgd>, make<FusedSgd>}},
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          OptimizerKernels kernels) {
  const auto found = kOptimizers.find(choice.kind);
  check(found != kOptimizers.end(), "ERR_INVALID_OPTION", "The addon has no optimizer of the kind \"", choice.kind,
        "\"");
  const Makers& makers = found->second;
  return (kernels == OptimizerKernels::kExact ? makers.exact : makers.captured)(choice, parameters);
}

void drop_gradients(const std::vector<at::Tensor>& parameters) {
  for (const at::Tensor& parameter : parameters) parameter.mutable_grad() = at::Tensor();
}

}  // namespace incremental
