#include "src/program/own_operators.h"

#include <algorithm>
#include <array>

#include "src/program/to_dense.h"

namespace incremental {
namespace {

// [out, channel, height, width] in channels_last memory as rows of it.
at::Tensor rows_of(const at::Tensor& images) { return images.permute({0, 2, 3, 1}).flatten(1); }

at::Tensor image_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(rows_of(input), rows_of(weight), bias);
}

}  // namespace

const OwnOperator* find_own_operator(const std::string& name) {
  using Tensors = std::vector<at::Tensor>;
  static const std::array kOperators{
      OwnOperator{kToDenseFromBlocked, {"self"}, [](const Tensors& t) { return to_dense_from_blocked(t[0]); }},
      OwnOperator{
          kImageLinear, {"input", "weight", "bias"}, [](const Tensors& t) { return image_linear(t[0], t[1], t[2]); }},
  };
  auto found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const OwnOperator& op) { return name == op.name; });
  return found == kOperators.end() ? nullptr : &*found;
}

}  // namespace incremental
