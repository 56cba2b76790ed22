#include "src/program/call_checks.h"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace incremental {
namespace {

using Arguments = std::vector<c10::IValue>;

bool has_shape(const at::Tensor& tensor, at::IntArrayRef shape) { return tensor.sizes() == shape; }

// A tensor or a list of tensors; nothing where it is neither, which the operator refuses.
std::optional<std::vector<at::Tensor>> tensors_in(const c10::IValue& value) {
  if (value.isTensor()) return std::vector<at::Tensor>{value.toTensor()};
  if (!value.isTensorList()) return std::nullopt;
  return value.toTensorVector();
}

// As at::native::weight_norm_cpu, which takes the norm of each slice along `dim`, the first or the last one.
std::string lack_of_weight_norm(const Arguments& arguments) {
  if (!arguments[0].isTensor() || !arguments[1].isTensor() || !arguments[2].isInt()) return "";
  const at::Tensor v = arguments[0].toTensor(), g = arguments[1].toTensor();
  const int64_t dim = arguments[2].toInt();
  if (v.numel() == 0) return "Expected at least one weight";
  if (dim < 0 || dim >= v.dim()) return dim == -1 ? "" : "Expected an axis of the weights";
  std::vector<int64_t> norms(static_cast<size_t>(v.dim()), 1);
  norms[static_cast<size_t>(dim)] = v.size(dim);
  return has_shape(g, norms)
             ? ""
             : c10::str("Expected norms of shape ", at::IntArrayRef(norms), " but received ", g.sizes());
}

// Vectorised kernels compute an address from any position.
std::string lack_of_grid(const Arguments& arguments) {
  if (!arguments[1].isTensor()) return "";
  const at::Tensor grid = arguments[1].toTensor();
  if (!grid.device().is_cpu() || !grid.is_floating_point() || grid.isfinite().all().item<bool>()) return "";
  return "Expected finite positions but some are infinite or NaN";
}

// (weight, indices, …). Its backward pass counts all of the indices, its forward pass looks at those of a bag alone.
std::string lack_of_rows(const Arguments& arguments) {
  if (!arguments[0].isTensor() || !arguments[1].isTensor()) return "";
  const at::Tensor weight = arguments[0].toTensor(), indices = arguments[1].toTensor();
  const bool are_indices = indices.scalar_type() == at::kLong || indices.scalar_type() == at::kInt;
  if (!indices.device().is_cpu() || !are_indices || weight.dim() == 0 || indices.numel() == 0) return "";
  const auto [least, most] = indices.aminmax();
  if (least.item<int64_t>() >= 0 && most.item<int64_t>() < weight.size(0)) return "";
  return c10::str("Expected indices from 0 to ", weight.size(0) - 1, " but they are from ", least.item<int64_t>(),
                  " to ", most.item<int64_t>());
}

// Views repeat elements without memory, and a run over them cannot be cancelled.
constexpr int64_t kMostElements = int64_t{1} << 36;
// Of a list that an operator returns. Each is a tensor, even where it is empty.
constexpr int64_t kMostItems = int64_t{1} << 20;

std::string lack_of_room(at::IntArrayRef sizes) {
  int64_t elements = 1;
  bool overflows = false;
  // Sizes of -1 are those that the tensor has.
  for (int64_t size : sizes) overflows |= size > 0 && __builtin_mul_overflow(elements, size, &elements);
  if (std::count(sizes.begin(), sizes.end(), 0) > 0 || (!overflows && elements <= kMostElements)) return "";
  return c10::str("Expected a view of at most ", kMostElements, " elements but received the sizes ", sizes);
}

// (self, size, …)
std::string lack_of_expanded_room(const Arguments& arguments) {
  return arguments[1].isIntList() ? lack_of_room(arguments[1].toIntVector()) : "";
}

std::string lack_of_mesh_room(const Arguments& arguments) {
  const auto tensors = tensors_in(arguments[0]);
  if (!tensors) return "";
  std::vector<int64_t> sizes;
  sizes.reserve(tensors->size());
  for (const at::Tensor& tensor : *tensors) sizes.push_back(tensor.numel());
  return lack_of_room(sizes);
}

// (self, dimension, size, step)
std::string lack_of_window_room(const Arguments& arguments) {
  if (!arguments[0].isTensor() || !arguments[2].isInt()) return "";
  return lack_of_room({arguments[0].toTensor().numel(), arguments[2].toInt()});
}

std::string lack_of_items(int64_t count) {
  if (count <= kMostItems) return "";
  return c10::str("Expected at most ", kMostItems, " parts but ", count, " are asked for");
}

// The size of self along the axis that is argument `axis`; nothing if it has no such axis, which the operator refuses.
std::optional<int64_t> size_along(const Arguments& arguments, size_t axis) {
  if (!arguments[0].isTensor() || !arguments[axis].isInt()) return std::nullopt;
  const at::Tensor self = arguments[0].toTensor();
  const int64_t given = arguments[axis].toInt(), dim = given < 0 ? given + self.dim() : given;
  return dim < 0 || dim >= self.dim() ? std::nullopt : std::optional(self.size(dim));
}

// (self, dim)
std::string lack_of_unbound(const Arguments& arguments) { return lack_of_items(size_along(arguments, 1).value_or(0)); }

// (self, split_size, dim)
std::string lack_of_split(const Arguments& arguments) {
  const int64_t each = arguments[1].isInt() ? arguments[1].toInt() : 0;
  return each > 0 ? lack_of_items(size_along(arguments, 2).value_or(0) / each) : "";
}

// (self, chunks, dim): no more parts than elements, but for empty axes.
std::string lack_of_parts(const Arguments& arguments) {
  if (arguments[1].isInt()) return lack_of_items(arguments[1].toInt());
  const bool is_number = arguments[1].isTensor() && arguments[1].toTensor().dim() == 0 &&
                         arguments[1].toTensor().scalar_type() == at::kLong;
  return is_number ? lack_of_items(arguments[1].toTensor().item<int64_t>()) : "";
}

// Facts that all forms of recurrent layers share.
struct Layers {
  int64_t gates;
  bool has_cell;  // its state is two tensors
  int64_t features, samples;
  c10::IValue state, parameters;
  bool has_biases;
  int64_t layers;
  bool is_bidirectional;
};

// As torch.nn.LSTM.check_forward_args() and reset_parameters().
std::string lack_of_layers(const Layers& given) {
  const auto state = tensors_in(given.state), parameters = tensors_in(given.parameters);
  if (!state || !parameters) return "";
  const int64_t directions = given.is_bidirectional ? 2 : 1;
  const auto count = static_cast<int64_t>(parameters->size());
  if (given.layers < 1 || given.layers > count || state->size() != (given.has_cell ? 2 : 1)) {
    return "Expected the parameters and the state of at least one layer";
  }
  const at::Tensor& hidden = state->front();
  const at::Tensor& cell = state->back();
  if (hidden.dim() != 3 || cell.dim() != 3) return "Expected a state of three axes";
  const int64_t projected = hidden.size(2), units = cell.size(2), gates = given.gates * units;
  const int64_t runs = given.layers * directions;
  if (!has_shape(hidden, {runs, given.samples, projected}) || !has_shape(cell, {runs, given.samples, units})) {
    return c10::str("Expected a state of shape [", runs, ", ", given.samples, ", units] but received ", hidden.sizes(),
                    given.has_cell ? c10::str(" and ", cell.sizes()) : "");
  }
  const int64_t each = (given.has_biases ? 4 : 2) + (projected != units ? 1 : 0);
  if (count != runs * each) return c10::str("Expected ", runs * each, " parameters but received ", count);
  for (int64_t run = 0; run < runs; ++run) {
    const int64_t features = run < directions ? given.features : projected * directions;
    std::vector<std::vector<int64_t>> shapes{{gates, features}, {gates, projected}};
    if (given.has_biases) shapes.insert(shapes.end(), 2, {gates});
    if (projected != units) shapes.push_back({projected, units});
    for (int64_t i = 0; i < each; ++i) {
      const at::Tensor& parameter = (*parameters)[static_cast<size_t>(run * each + i)];
      const std::vector<int64_t>& shape = shapes[static_cast<size_t>(i)];
      if (!has_shape(parameter, shape)) {
        return c10::str("Expected a parameter of shape ", at::IntArrayRef(shape), " but received ", parameter.sizes());
      }
    }
  }
  return "";
}

// Kernels take the type of one for that of all. Autocast makes them alike.
std::string lack_of_types(const at::Tensor& input, const c10::IValue& state, const c10::IValue& parameters) {
  const auto is_like_input = [&](const at::Tensor& tensor) {
    const auto is_cast = [](const at::Tensor& one) {
      return one.is_floating_point() && one.scalar_type() != at::kDouble && at::autocast::is_autocast_enabled(at::kCPU);
    };
    return tensor.scalar_type() == input.scalar_type() || (is_cast(tensor) && is_cast(input));
  };
  for (const c10::IValue* value : {&state, &parameters}) {
    const auto tensors = tensors_in(*value);
    if (tensors && !std::all_of(tensors->begin(), tensors->end(), is_like_input)) {
      return "Expected the input, the state and the parameters of one dtype";
    }
  }
  return "";
}

// (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
template <int64_t kGates>
std::string lack_of_sequence(const Arguments& arguments) {
  const bool has_flags = arguments[3].isBool() && arguments[7].isBool() && arguments[8].isBool();
  if (!arguments[0].isTensor() || !arguments[4].isInt() || !has_flags) return "";
  const at::Tensor input = arguments[0].toTensor();
  if (input.dim() != 3 || input.numel() == 0) return "Expected an input of three axes, none of them empty";
  std::string lack = lack_of_types(input, arguments[1], arguments[2]);
  if (!lack.empty()) return lack;
  return lack_of_layers({kGates, kGates == 4, input.size(2), input.size(arguments[8].toBool() ? 0 : 1), arguments[1],
                         arguments[2], arguments[3].toBool(), arguments[4].toInt(), arguments[7].toBool()});
}

// (data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)
template <int64_t kGates>
std::string lack_of_packed_sequence(const Arguments& arguments) {
  const bool has_flags = arguments[4].isBool() && arguments[8].isBool();
  if (!arguments[0].isTensor() || !arguments[1].isTensor() || !arguments[5].isInt() || !has_flags) return "";
  const at::Tensor data = arguments[0].toTensor(), sizes = arguments[1].toTensor();
  if (data.dim() != 2 || data.numel() == 0) return "Expected data of two axes, none of them empty";
  const bool are_sizes = sizes.scalar_type() == at::kLong && sizes.dim() == 1 && sizes.device().is_cpu();
  if (!are_sizes || sizes.numel() == 0) return "Expected int64 batch sizes on the CPU";
  const at::Tensor counts = sizes.contiguous();
  int64_t sum = 0, before = data.size(0);
  for (int64_t i = 0; i < counts.numel(); ++i) {
    const int64_t count = counts.const_data_ptr<int64_t>()[i];
    if (count < 1 || count > before) return "Expected batch sizes that do not grow";
    sum += count;
    before = count;
    if (sum > data.size(0)) break;
  }
  if (sum != data.size(0)) return "Expected batch sizes whose sum is the number of rows";
  std::string lack = lack_of_types(data, arguments[2], arguments[3]);
  if (!lack.empty()) return lack;
  return lack_of_layers({kGates, kGates == 4, data.size(1), counts.const_data_ptr<int64_t>()[0], arguments[2],
                         arguments[3], arguments[4].toBool(), arguments[5].toInt(), arguments[8].toBool()});
}

}  // namespace

CallCheck find_call_check(const std::string& op, const std::string& overload) {
  static const std::unordered_map<std::string, CallCheck> kChecks{
      {"aten::_weight_norm.", lack_of_weight_norm},
      {"aten::grid_sampler.", lack_of_grid},
      {"aten::embedding_bag.", lack_of_rows},
      {"aten::embedding_bag.padding_idx", lack_of_rows},
      {"aten::expand.", lack_of_expanded_room},
      {"aten::broadcast_to.", lack_of_expanded_room},
      {"aten::meshgrid.", lack_of_mesh_room},
      {"aten::meshgrid.indexing", lack_of_mesh_room},
      {"aten::unfold.", lack_of_window_room},
      {"aten::unbind.int", lack_of_unbound},
      {"aten::split.Tensor", lack_of_split},
      {"aten::chunk.", lack_of_parts},
      {"aten::tensor_split.sections", lack_of_parts},
      {"aten::tensor_split.tensor_indices_or_sections", lack_of_parts},
      {"aten::lstm.input", lack_of_sequence<4>},
      {"aten::gru.input", lack_of_sequence<3>},
      {"aten::rnn_tanh.input", lack_of_sequence<1>},
      {"aten::rnn_relu.input", lack_of_sequence<1>},
      {"aten::lstm.data", lack_of_packed_sequence<4>},
      {"aten::gru.data", lack_of_packed_sequence<3>},
      {"aten::rnn_tanh.data", lack_of_packed_sequence<1>},
      {"aten::rnn_relu.data", lack_of_packed_sequence<1>},
  };
  const auto found = kChecks.find(op + "." + overload);
  return found == kChecks.end() ? nullptr : found->second;
}

}  // namespace incremental
