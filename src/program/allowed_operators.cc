#include "src/program/allowed_operators.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "src/core/error.h"
#include "src/program/rewrites/rewrite.h"

namespace incremental {
namespace {

constexpr const char* kBadProgram = "ERR_INVALID_OPTION";

// By name, with all overloads but those for `out`. Those that the layers and losses of this library use, and those that
// models from torchvision, timm, transformers and torch.nn are made of, as torch.export writes them. Left out of these:
// what draws from the process's one generator (dropout, rand, rrelu …), which would make a run depend on others; what
// makes tensors of a dtype or on a device of its own (arange, zeros, to …), which a program cannot name; what returns
// no tensors.
const std::unordered_set<std::string_view>& listed() {
  static const std::unordered_set<std::string_view> kNames{
      // Of the layers alone: Dropout, which draws from the run's generator.
      "empty_like", "bernoulli_",
      // Products, convolutions and recurrent layers.
      "linear", "matmul", "bmm", "mv", "dot", "vdot", "addmm", "einsum", "conv1d", "conv2d", "conv3d",
      "conv_transpose2d", "lstm", "lstm_cell", "gru", "rnn_tanh", "scaled_dot_product_attention", "embedding",
      "embedding_bag",
      // Norms and pools.
      "batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm", "max_pool1d", "max_pool2d", "max_pool3d",
      "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
      "adaptive_max_pool1d", "upsample_bilinear2d", "upsample_nearest2d", "pixel_shuffle",
      // Activations.
      "relu", "relu_", "leaky_relu", "leaky_relu_", "prelu", "elu", "celu", "selu", "gelu", "glu", "silu", "silu_",
      "mish", "hardtanh", "hardtanh_", "hardsigmoid", "hardswish", "hardswish_", "softplus", "log_sigmoid", "sigmoid",
      "tanh", "softmax",
      // Arithmetic.
      "add", "add_", "sub", "mul", "div", "div_", "floor_divide", "neg", "abs", "pow", "sqrt", "rsqrt", "exp", "log",
      "log1p", "sin", "cos", "floor", "clamp", "clamp_min", "clamp_min_", "sum", "mean", "cumsum", "diff", "min",
      "argmax", "topk", "sort", "histc", "linalg_vector_norm", "fft_rfft", "stft", "square", "maximum", "minimum",
      "logsumexp", "log_softmax", "cosine_similarity", "pairwise_distance",
      // Losses.
      "cross_entropy_loss", "nll_loss_nd", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "smooth_l1_loss",
      "huber_loss", "kl_div", "poisson_nll_loss", "cosine_embedding_loss", "triplet_margin_loss", "margin_ranking_loss",
      // Comparisons and masks.
      "eq", "ne", "lt", "le", "gt", "ge", "__and__", "bitwise_not", "where", "masked_fill", "masked_fill_", "triu",
      // Shapes and places.
      "alias", "view", "reshape", "reshape_as", "flatten", "unflatten", "squeeze", "unsqueeze", "transpose", "t",
      "permute", "numpy_T", "matrix_H", "expand", "expand_as", "repeat", "roll", "pad", "cat", "stack", "chunk",
      "split", "split_with_sizes", "unbind", "select", "slice", "gather", "index", "index_put_", "index_add",
      "index_add_",
      // Copies.
      "clone", "contiguous", "type_as", "detach", "detach_", "copy_", "fill_", "zero_"};
  return kNames;
}

bool is_listed(const std::string& op) {
  constexpr std::string_view kNamespace = "aten::";
  const std::string_view name = op;
  return name.substr(0, kNamespace.size()) == kNamespace && listed().count(name.substr(kNamespace.size())) > 0;
}

std::string label_of(const Node& node, size_t index) {
  return c10::str("node ", index, " (", node.op, node.overload.empty() ? "" : ".", node.overload, ")");
}

c10::OperatorHandle operator_of(const Node& node, size_t index) {
  auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
  check(op.has_value(), kBadProgram, "Unknown operator in ", label_of(node, index));
  return *op;
}

bool is_written(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

// Numbers would do for these in a call, and wrong ones are not looked for there.
bool says_how_it_is_stored(const c10::Argument& argument) {
  auto optional = argument.real_type()->cast<c10::OptionalType>();
  const c10::TypePtr type = optional ? optional->getElementType() : argument.real_type();
  switch (type->kind()) {
    case c10::TypeKind::ScalarTypeType:
    case c10::TypeKind::LayoutType:
    case c10::TypeKind::MemoryFormatType:
    case c10::TypeKind::DeviceObjType:
      return true;
    default:
      return false;
  }
}

void check_listed(const Node& node, size_t index, const c10::FunctionSchema& schema) {
  for (const c10::Argument& argument : schema.arguments()) {
    check(!argument.is_out(), kBadProgram, "An overload that writes into \"", argument.name(), "\" in ",
          label_of(node, index), "; name the one that returns its result, or add ", node.op,
          " to the option \"allowOperators\"");
    const Argument* given = argument_of(node, argument.name());
    check(given == nullptr || std::holds_alternative<std::monostate>(*given) || !says_how_it_is_stored(argument),
          kBadProgram, "The argument \"", argument.name(), "\" of ", label_of(node, index), " cannot be given; add ",
          node.op, " to the option \"allowOperators\" if it must be");
  }
}

}  // namespace

void check_operators(const Program& program, const std::vector<std::string>& added) {
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    const bool is_added = std::find(added.begin(), added.end(), node.op) != added.end();
    check(is_added || is_listed(node.op), kBadProgram, "The operator of ", label_of(node, i),
          " is not one that a model may use. If you trust the model, add '", node.op,
          "' to the option \"allowOperators\"");
    const c10::OperatorHandle op = operator_of(node, i);
    if (!is_added) check_listed(node, i, op.schema());
    for (const c10::Argument& argument : op.schema().arguments()) {
      const Argument* given = argument_of(node, argument.name());
      check(given == nullptr || !is_written(argument) || std::holds_alternative<ValueName>(*given) ||
                std::holds_alternative<std::vector<ValueName>>(*given),
            kBadProgram, "The argument \"", argument.name(), "\" of ", label_of(node, i),
            " is changed in place: it must be a value, not a constant");
    }
  }
}

bool writes_in_place(const Program& program, Mode mode) {
  return std::any_of(program.nodes.begin(), program.nodes.end(), [&](const Node& node) {
    if (std::count(node.modes.begin(), node.modes.end(), mode) == 0) return false;
    // Its schema does not say that it changes its running statistics.
    if (node.op == "aten::instance_norm") return true;
    const auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
    if (!op) return false;
    const auto& arguments = op->schema().arguments();
    return std::any_of(arguments.begin(), arguments.end(), is_written);
  });
}

bool draws(const Program& program, Mode mode) {
  return std::any_of(program.nodes.begin(), program.nodes.end(), [&](const Node& node) {
    const bool runs = std::count(node.modes.begin(), node.modes.end(), mode) > 0;
    const auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
    if (!runs || !op) return false;
    return std::any_of(
        op->schema().arguments().begin(), op->schema().arguments().end(),
        [](const c10::Argument& argument) { return argument.type()->str().find("Generator") != std::string::npos; });
  });
}

}  // namespace incremental
