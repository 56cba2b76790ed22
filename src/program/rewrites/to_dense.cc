#include "src/program/rewrites/to_dense.h"

#include <torch/csrc/autograd/custom_function.h>

#include "src/program/rewrites/blocked_memory.h"

namespace incremental {
namespace {

struct ToDense : torch::autograd::Function<ToDense> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& blocked) {
    context->saved_data["blocked"] = blocked.detach();
    return blocked.to_dense();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {to_blocked(gradients[0], context->saved_data["blocked"].toTensor())};
  }
};

}  // namespace

at::Tensor to_blocked(const at::Tensor& dense, const at::Tensor& unread) {
  const int64_t block = block_of(unread);
  if (block == 0) return dense.to_mkldnn();
  copy_into_blocked(dense.contiguous(), data_of(unread), block);
  return unread;
}

at::Tensor to_dense_from_blocked(const at::Tensor& blocked) { return ToDense::apply(blocked); }

}  // namespace incremental
