#include "src/online/judge.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "src/online/finite.h"
#include "src/program/batch_statistics.h"
#include "src/program/rewrites/rewrite.h"
#include "src/train/step.h"

namespace incremental {
namespace {

// As Step::limit_gradients measures it: of finite gradients, the norm may not be.
bool has_finite_gradient(const std::vector<at::Tensor>& parameters) {
  at::NoGradGuard no_grad;
  return std::all_of(parameters.begin(), parameters.end(), [](const at::Tensor& parameter) {
    return !parameter.grad().defined() || all_finite(at::linalg_vector_norm(parameter.grad()));
  });
}

}  // namespace

KeptBuffers::KeptBuffers(const std::vector<at::Tensor>& buffers) : buffers_(buffers), before_(copies_of(buffers)) {}

void KeptBuffers::put_back() const {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(before_[i]);
}

std::vector<bool> not_finite(const at::Tensor& rows) {
  at::NoGradGuard no_grad;
  const at::Tensor bad = at::isfinite(rows.flatten(1)).all(1).logical_not().contiguous();
  const bool* data = bad.const_data_ptr<bool>();
  return std::vector<bool>(data, data + bad.numel());
}

std::vector<bool> without_finite_loss(Forward& forward, Loss& loss, const Batch& batch, const KeptBuffers& buffers) {
  at::NoGradGuard no_grad;
  const std::vector<at::Tensor> outputs = forward(batch.inputs);
  buffers.put_back();
  const at::Tensor losses = loss.each(outputs, batch.targets, batch.samples());
  const auto rows = [&](const at::Tensor& values) { return values.to(at::kFloat).reshape({batch.samples(), -1}); };
  return not_finite(at::cat({rows(loss.prediction(outputs)), rows(losses)}, 1));
}

std::vector<bool> without_finite_gradient(Forward& forward, Loss& loss, const Batch& batch,
                                          const std::vector<at::Tensor>& parameters, const KeptBuffers& buffers) {
  std::vector<bool> bad(batch.samples());
  for (int64_t i = 0; i < batch.samples(); ++i) {
    add_gradients(forward, loss, part_of(batch, i, 1));
    buffers.put_back();
    bad[i] = !has_finite_gradient(parameters);
    drop_gradients(parameters);
  }
  return bad;
}

Batch with_least_likely(Forward& forward, const Loss& loss, const Batch& batch, const KeptBuffers& buffers) {
  at::NoGradGuard no_grad;
  const at::Tensor output = loss.prediction(forward(batch.inputs));
  buffers.put_back();
  const at::Tensor least = output.argmin(1);
  if (loss.target().holds_indices()) return {batch.inputs, least};
  return {batch.inputs, at::zeros_like(output).scatter(1, least.unsqueeze(1), 1)};
}

bool needs_company(const Program& program, const std::vector<InputForm>& inputs) {
  constexpr std::array<std::string_view, 3> kNorms = {"aten::batch_norm", "aten::native_batch_norm",
                                                      "aten::_native_batch_norm_legit"};
  const auto is_norm = [&](const Node& node) {
    return std::find(kNorms.begin(), kNorms.end(), node.op) != kNorms.end() &&
           std::count(node.modes.begin(), node.modes.end(), Mode::kTraining) > 0 && !is_frozen(node);
  };
  if (std::none_of(program.nodes.begin(), program.nodes.end(), is_norm)) return false;
  std::vector<at::Tensor> zeros;
  for (const auto* part : {&program.parameters, &program.buffers}) {
    for (const ProgramTensor& tensor : *part) zeros.push_back(at::zeros(tensor.shape, tensor.dtype));
  }
  const Shapes shapes = shapes_of(program, zeros, inputs);
  return std::any_of(program.nodes.begin(), program.nodes.end(), [&](const Node& node) {
    const std::string* input = is_norm(node) ? value_of(node, "input") : nullptr;
    const auto shape = input != nullptr ? shapes.find(*input) : shapes.end();
    if (shape == shapes.end() || shape->second.size() < 2) return false;
    const std::vector<int64_t>& sizes = shape->second;
    // All but the axis of channels.
    return sizes[0] * c10::multiply_integers(sizes.begin() + 2, sizes.end()) == 1;
  });
}

}  // namespace incremental
