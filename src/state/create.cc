#include "src/state/create.h"

namespace incremental {

std::shared_ptr<StateDict> create_state(const std::vector<InitialTensor>& tensors, uint64_t seed) {
  at::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  auto state = std::make_shared<StateDict>();
  for (const InitialTensor& wanted : tensors) {
    at::Tensor tensor = at::empty(wanted.shape, wanted.dtype);
    if (wanted.uniform) {
      tensor.uniform_(-wanted.value, wanted.value, generator);
    } else {
      tensor.fill_(wanted.value);
    }
    state->push_back({wanted.name, std::move(tensor)});
  }
  return state;
}

}  // namespace incremental
