#include "src/program/allowed_operators.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <unordered_set>

#include "src/core/error.h"
#include "src/program/condition.h"
#include "src/program/default_generator.h"
#include "src/program/rewrites/rewrite.h"
#include "src/program/scalar_operators.h"

namespace incremental {
namespace {

constexpr const char* kBadProgram = "ERR_INVALID_OPTION";

// By name, with all overloads but those for `out`: what the layers and losses of this library use, and what models are
// made of as torch.export writes them, those of torchvision, timm, transformers and torch.nn among them. Each checks
// its arguments in memory. Left out: what reaches files, processes or another tensor's storage, and what trusts its
// caller.
const std::unordered_set<std::string_view>& listed() {
  static const std::unordered_set<std::string_view> kNames{
      // Products, convolutions and recurrent layers.
      "linear", "bilinear", "matmul", "mm", "bmm", "baddbmm", "addbmm", "addmm", "addmv", "addr", "mv", "dot", "vdot",
      "outer", "ger", "inner", "kron", "chain_matmul", "linalg_multi_dot", "tensordot", "einsum", "conv1d", "conv2d",
      "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution", "lstm", "lstm_cell", "gru",
      "gru_cell", "rnn_tanh", "rnn_relu", "rnn_tanh_cell", "rnn_relu_cell", "scaled_dot_product_attention", "embedding",
      "embedding_bag", "cdist", "im2col", "col2im", "unfold", "_weight_norm",
      // Norms and pools.
      "batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm", "max_pool1d", "max_pool2d", "max_pool3d",
      "max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices", "avg_pool1d", "avg_pool2d",
      "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
      "adaptive_max_pool2d", "adaptive_max_pool3d", "max_unpool2d", "max_unpool3d", "upsample_nearest1d",
      "upsample_nearest2d", "upsample_nearest3d", "upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d",
      "upsample_trilinear3d", "grid_sampler", "affine_grid_generator", "pixel_shuffle", "pixel_unshuffle",
      "channel_shuffle",
      // Activations.
      "relu", "relu_", "relu6", "relu6_", "leaky_relu", "leaky_relu_", "prelu", "elu", "elu_", "celu", "celu_", "selu",
      "selu_", "gelu", "gelu_", "glu", "silu", "silu_", "mish", "mish_", "hardtanh", "hardtanh_", "hardsigmoid",
      "hardsigmoid_", "hardswish", "hardswish_", "hardshrink", "softshrink", "threshold", "threshold_", "softplus",
      "log_sigmoid", "sigmoid", "sigmoid_", "tanh_", "softmax",
      // Regularisation, which draws from the run's generator.
      "dropout", "dropout_", "feature_dropout", "feature_dropout_", "alpha_dropout", "alpha_dropout_",
      "feature_alpha_dropout", "feature_alpha_dropout_", "rrelu", "rrelu_", "bernoulli", "bernoulli_", "normal_",
      "uniform_", "exponential_", "random_", "rand", "rand_like", "randn", "randn_like", "randint", "randint_like",
      "randperm", "multinomial", "normal",
      // Arithmetic.
      "add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_", "floor_divide", "remainder", "fmod",
      "true_divide", "addcmul", "addcdiv", "addcmul_", "addcdiv_", "lerp", "lerp_", "neg", "neg_", "abs", "sign", "pow",
      "pow_", "float_power", "sqrt", "sqrt_", "rsqrt", "rsqrt_", "reciprocal", "reciprocal_", "square", "exp", "exp_",
      "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "xlogy", "sin", "cos", "tan", "asin", "acos",
      "atan", "atan2", "sinh", "cosh", "tanh", "erf", "erfc", "erfinv", "sinc", "lgamma", "digamma", "floor", "ceil",
      "round", "trunc", "frac", "clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "nan_to_num",
      "maximum", "minimum", "logsumexp", "log_softmax", "cosine_similarity", "pairwise_distance",
      // Reductions and orders.
      "sum", "nansum", "mean", "nanmean", "prod", "cumsum", "cumprod", "cumsum_", "diff", "min", "max", "amin", "amax",
      "aminmax", "argmin", "argmax", "var", "std", "var_mean", "std_mean", "norm", "linalg_vector_norm", "linalg_norm",
      "median", "all", "any", "count_nonzero", "topk", "sort", "argsort", "kthvalue", "histc", "bincount", "bucketize",
      "searchsorted", "trace", "fft_fft", "fft_ifft", "fft_rfft", "fft_irfft", "fft_fft2", "fft_ifft2", "fft_rfft2",
      "fft_irfft2", "fft_fftn", "fft_ifftn", "stft", "istft",
      // Losses.
      "cross_entropy_loss", "nll_loss_nd", "nll_loss", "nll_loss2d", "binary_cross_entropy",
      "binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div",
      "poisson_nll_loss", "cosine_embedding_loss", "triplet_margin_loss", "margin_ranking_loss", "hinge_embedding_loss",
      "soft_margin_loss",
      // Comparisons and masks.
      "eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "isclose", "__and__", "__or__", "__xor__",
      "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "logical_and", "logical_or", "logical_xor",
      "logical_not", "where", "masked_fill", "masked_fill_", "masked_select", "masked_scatter", "nonzero", "triu",
      "triu_", "tril", "tril_",
      // Shapes and places.
      "alias", "view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "squeeze", "squeeze_", "unsqueeze",
      "unsqueeze_", "transpose", "swapaxes", "t", "permute", "movedim", "numpy_T", "mT", "mH", "matrix_H", "adjoint",
      "expand", "expand_as", "broadcast_to", "repeat", "tile", "repeat_interleave", "roll", "flip", "rot90", "pad",
      "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d", "cat",
      "stack", "chunk", "split", "split_with_sizes", "tensor_split", "unbind", "select", "slice", "narrow", "gather",
      "take_along_dim", "index", "index_select", "index_put", "index_put_", "index_add", "index_add_", "index_copy",
      "index_copy_", "index_fill", "index_fill_", "scatter", "scatter_", "scatter_add", "scatter_add_",
      "scatter_reduce", "select_scatter", "slice_scatter", "diagonal", "diag", "diag_embed", "meshgrid", "one_hot",
      "real", "imag", "view_as_real", "view_as_complex", "complex", "polar", "atleast_1d", "atleast_2d",
      // Copies and types.
      "clone", "contiguous", "type_as", "to", "_to_copy", "detach", "detach_", "copy_", "fill", "fill_", "zero_",
      "lift_fresh_copy",
      // New tensors, on the run's device.
      "empty", "empty_like", "new_empty", "zeros", "zeros_like", "new_zeros", "ones", "ones_like", "new_ones", "full",
      "full_like", "new_full", "scalar_tensor", "arange", "linspace", "eye", "tril_indices", "triu_indices",
      "hann_window",
      // Numbers of the program.
      "sym_size", "sym_stride", "sym_numel", "sym_storage_offset"};
  return kNames;
}

bool is_listed(const std::string& op) {
  constexpr std::string_view kNamespace = "aten::";
  const std::string_view name = op;
  return name.substr(0, kNamespace.size()) == kNamespace && listed().count(name.substr(kNamespace.size())) > 0;
}

std::string label_of(const Node& node, size_t index) {
  const std::string place = node.place.empty() ? c10::str("node ", index) : node.place;
  return c10::str(place, " (", node.op, node.overload.empty() ? "" : ".", node.overload, ")");
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

bool is_typed(const Argument& given) {
  return std::holds_alternative<std::monostate>(given) || std::holds_alternative<at::ScalarType>(given) ||
         std::holds_alternative<at::Layout>(given) || std::holds_alternative<at::MemoryFormat>(given) ||
         std::holds_alternative<RunDevice>(given);
}

void check_listed(const Node& node, size_t index, const c10::FunctionSchema& schema) {
  // Bytes of other types are no booleans.
  check(node.op != "aten::view" || node.overload != "dtype", kBadProgram, "A view of bytes as another type in ",
        label_of(node, index), "; add ", node.op, " to the option \"allowOperators\" if you trust the model");
  for (const c10::Argument& argument : schema.arguments()) {
    check(!argument.is_out(), kBadProgram, "An overload that writes into \"", argument.name(), "\" in ",
          label_of(node, index), "; name the one that returns its result, or add ", node.op,
          " to the option \"allowOperators\"");
    const Argument* given = argument_of(node, argument.name());
    check(given == nullptr || is_typed(*given) || !says_how_it_is_stored(argument), kBadProgram, "The argument \"",
          argument.name(), "\" of ", label_of(node, index), " must be a dtype, a layout, a memory format or a device");
  }
}

}  // namespace

namespace {

// A list of nodes, and those of the branches in it.
template <class Visit>
void for_each_list(const std::vector<Node>& nodes, const Visit& visit) {
  visit(nodes);
  for (const Node& node : nodes) {
    for (const Branch& branch : node.branches) for_each_list(branch.nodes, visit);
  }
}

bool runs_in(const Node& node, Mode mode) { return std::count(node.modes.begin(), node.modes.end(), mode) > 0; }

// True if a node that runs in the mode fits.
template <class Fits>
bool any_node(const Program& program, Mode mode, const Fits& fits) {
  bool found = false;
  for_each_list(program.nodes, [&](const std::vector<Node>& nodes) {
    found = found || std::any_of(nodes.begin(), nodes.end(),
                                 [&](const Node& node) { return runs_in(node, mode) && fits(node); });
  });
  return found;
}

void check_node(const Node& node, size_t index, const std::vector<std::string>& added) {
  if (find_scalar_operator(node.op) != nullptr || node.op == kCondition) return;
  const bool is_added = std::find(added.begin(), added.end(), node.op) != added.end();
  check(is_added || is_listed(node.op), kBadProgram, "The operator of ", label_of(node, index),
        " is not one that a model may use. If you trust the model, add '", node.op,
        "' to the option \"allowOperators\"");
  const c10::OperatorHandle op = operator_of(node, index);
  if (!is_added) check_listed(node, index, op.schema());
  for (const c10::Argument& argument : op.schema().arguments()) {
    const Argument* given = argument_of(node, argument.name());
    check(given == nullptr || !is_written(argument) || std::holds_alternative<ValueName>(*given) ||
              std::holds_alternative<std::vector<ValueName>>(*given),
          kBadProgram, "The argument \"", argument.name(), "\" of ", label_of(node, index),
          " is changed in place: it must be a value, not a constant");
  }
}

}  // namespace

namespace {

// The first node that reads each value of a list.
using FirstReaders = std::unordered_map<std::string, size_t>;

FirstReaders first_readers(const std::vector<Node>& nodes) {
  FirstReaders first;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& [name, _] : count_readers({{}, {}, {}, {nodes[i]}, {}})) first.emplace(name, i);
  }
  return first;
}

bool is_unwritten(const Node& node, const std::vector<std::string>& added) {
  constexpr std::array<std::string_view, 3> kUnwritten{"aten::empty", "aten::empty_like", "aten::new_empty"};
  return std::find(kUnwritten.begin(), kUnwritten.end(), node.op) != kUnwritten.end() &&
         std::find(added.begin(), added.end(), node.op) == added.end();
}

// Memory that nobody wrote holds what the process had there before: the next node must write all of it, whenever the
// node runs.
void check_unwritten(const std::vector<Node>& nodes, size_t index, const FirstReaders& readers) {
  static const std::unordered_set<std::string_view> kWriting{"aten::bernoulli_",   "aten::fill_",    "aten::zero_",
                                                             "aten::copy_",        "aten::uniform_", "aten::normal_",
                                                             "aten::exponential_", "aten::random_"};
  const Node& node = nodes[index];
  for (const std::string& output : node.outputs) {
    const auto found = readers.find(output);
    const Node* reader = found != readers.end() ? &nodes[found->second] : nullptr;
    const std::string* written = reader != nullptr ? value_of(*reader, "self") : nullptr;
    const bool is_safe =
        written != nullptr && *written == output && kWriting.contains(reader->op) &&
        std::all_of(node.modes.begin(), node.modes.end(), [&](Mode mode) { return runs_in(*reader, mode); }) &&
        count_readers({{}, {}, {}, {*reader}, {}}).at(output) == 1;
    check(is_safe || output.empty(), kBadProgram, "The result of ", label_of(node, index),
          " is memory that nobody has written: let the next node fill it, or add '", node.op,
          "' to the option \"allowOperators\"");
  }
}

}  // namespace

void check_operators(const Program& program, const std::vector<std::string>& added) {
  for_each_list(program.nodes, [&](const std::vector<Node>& nodes) {
    for (size_t i = 0; i < nodes.size(); ++i) check_node(nodes[i], i, added);
    if (std::none_of(nodes.begin(), nodes.end(), [&](const Node& node) { return is_unwritten(node, added); })) return;
    const FirstReaders readers = first_readers(nodes);
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (is_unwritten(nodes[i], added)) check_unwritten(nodes, i, readers);
    }
  });
}

namespace {

// Their schemas do not say that they change their running statistics.
bool changes_statistics(const Node& node, Mode mode) {
  if (node.op == "aten::instance_norm") return true;
  if (node.op != "aten::batch_norm") return false;
  const Argument* training = argument_of(node, "training");
  if (training == nullptr || std::holds_alternative<RunTrains>(*training)) return mode == Mode::kTraining;
  const bool* given = std::get_if<bool>(training);
  return given == nullptr || *given;
}

}  // namespace

bool writes_in_place(const Program& program, Mode mode) {
  return any_node(program, mode, [mode](const Node& node) {
    if (changes_statistics(node, mode)) return true;
    const auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
    if (!op) return false;
    const auto& arguments = op->schema().arguments();
    return std::any_of(arguments.begin(), arguments.end(), is_written);
  });
}

bool draws(const Program& program, Mode mode) {
  return any_node(program, mode, [&](const Node& node) {
    if (draws_by_itself(node, mode)) return true;
    const auto op = c10::Dispatcher::singleton().findSchema({node.op, node.overload});
    if (!op) return false;
    return std::any_of(
        op->schema().arguments().begin(), op->schema().arguments().end(),
        [](const c10::Argument& argument) { return argument.type()->str().find("Generator") != std::string::npos; });
  });
}

}  // namespace incremental
