#include "src/program/rewrites/own_kernels.h"

#include "src/program/own_operators.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

bool keeps_size_if_3x3(const Node& node) {
  const std::vector<int64_t> ones{1, 1};
  return pair_of(node, "stride", 1) == ones && pair_of(node, "padding", 0) == ones &&
         pair_of(node, "dilation", 1) == ones && integer_of(node, "groups", 1) == 1;
}

}  // namespace

Program with_own_kernels(const Program& program) {
  Program result = program;
  for (Node& node : result.nodes) {
    if (node.op == "aten::linear") node.op = kLinear;
    if (node.op == "aten::conv2d" && node.overload.empty() && keeps_size_if_3x3(node)) node.op = kConvolution;
  }
  return result;
}

}  // namespace incremental
