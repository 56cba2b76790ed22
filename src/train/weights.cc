#include "src/train/weights.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "src/core/error.h"
#include "src/program/rewrites/stored.h"

namespace incremental {
namespace {

bool is_batch_count(const ProgramTensor& wanted) {
  const size_t dot = wanted.name.rfind('.');
  const std::string own = dot == std::string::npos ? wanted.name : wanted.name.substr(dot + 1);
  return wanted.shape.empty() && own == "num_batches_tracked";
}

// The tensors of a state by their names.
class ByName {
 public:
  explicit ByName(const StateDict& state) {
    for (const NamedTensor& item : state) tensors_.emplace(item.name, &item.tensor);
  }
  // Null where there is none.
  const at::Tensor* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const at::Tensor*> tensors_;
};

bool is_same_memory(const at::Tensor& a, const at::Tensor& b) {
  return a.const_data_ptr() == b.const_data_ptr() && a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         a.strides() == b.strides();
}

// By any of its names. Files may leave out all names but one; where they hold several, those must agree.
const at::Tensor* find_tied(const ProgramTensor& wanted, const ByName& state) {
  const at::Tensor* first = state.find(wanted.name);
  for (const std::string& name : wanted.ties) {
    const at::Tensor* other = state.find(name);
    if (other == nullptr) continue;
    check(first == nullptr || is_same_memory(*first, *other) || bitwise_equal({{"", *first}}, {{"", *other}}),
          "ERR_STATE_MISMATCH", "\"", wanted.name, "\" and \"", name,
          "\" are one tensor of the model, but the state has different values for them");
    if (first == nullptr) first = other;
  }
  return first;
}

// As load_state_dict(strict=True) finds it: the count of a batch norm that PyTorch before 0.4.1 saved is missing and 0,
// and what has no dimensions may have one of size 1, as all tensors of PyTorch before 0.4 had.
at::Tensor find(const ProgramTensor& wanted, const ByName& state) {
  const at::Tensor* found = find_tied(wanted, state);
  if (found == nullptr && is_batch_count(wanted)) return at::zeros(wanted.shape, wanted.dtype);
  check(found != nullptr, "ERR_STATE_MISMATCH", "The state has no tensor named \"", wanted.name, "\"");
  if (wanted.shape.empty() && found->dim() == 1 && found->numel() == 1) return found->select(0, 0);
  check(found->sizes() == at::IntArrayRef(wanted.shape), "ERR_STATE_MISMATCH", "Expected shape ",
        at::IntArrayRef(wanted.shape), " for \"", wanted.name, "\" but the state has ", found->sizes());
  return *found;
}

// True where each element has memory of its own.
bool is_writable(const ProgramTensor& wanted) {
  const at::Tensor form = at::empty_strided(wanted.shape, wanted.stride, at::device(at::kMeta).dtype(wanted.dtype));
  return form.is_non_overlapping_and_dense();
}

// Whether the tensor lies in memory as the program wants it.
bool lies_as(const ProgramTensor& wanted, const at::Tensor& tensor) {
  if (wanted.stride.empty() || !is_writable(wanted)) return tensor.is_contiguous();
  return tensor.strides() == at::IntArrayRef(wanted.stride);
}

// In memory of its own. Kernels differ by strides, and so do bits.
at::Tensor laid_out(const ProgramTensor& wanted, const at::Tensor& source, c10::Device device) {
  const auto options = at::device(device).dtype(wanted.dtype);
  const bool is_strided = !wanted.stride.empty() && is_writable(wanted);
  at::Tensor tensor =
      is_strided ? at::empty_strided(wanted.shape, wanted.stride, options) : at::empty(wanted.shape, options);
  return tensor.copy_(source);
}

at::Tensor copy_of(const ProgramTensor& wanted, const ByName& state, c10::Device device) {
  return to_stored(wanted, laid_out(wanted, find(wanted, state), device));
}

}  // namespace

std::vector<at::Tensor> tensors_of(const Program& program, const StateDict& state, c10::Device device) {
  at::NoGradGuard no_grad;
  // A program that writes must not write into the state.
  const bool shares = !program.writes_in_evaluation;
  const ByName named(state);
  std::vector<at::Tensor> tensors;
  for (const auto* part : {&program.parameters, &program.buffers}) {
    for (const ProgramTensor& wanted : *part) {
      const at::Tensor found = find(wanted, named);
      const bool fits = found.device() == device && found.scalar_type() == wanted.dtype && lies_as(wanted, found);
      tensors.push_back(to_stored(wanted, shares && fits ? found : laid_out(wanted, found, device)));
    }
  }
  return tensors;
}

std::vector<at::Tensor> tensors_for_evaluation(const Program& program, const StateDict& state, c10::Device device) {
  std::vector<at::Tensor> tensors = tensors_of(program, state, device);
  for (size_t i = 0; i < program.parameters.size(); ++i) {
    if (program.parameters[i].is_frozen || !tensors[i].is_floating_point()) continue;
    // Another tensor of the same memory: that of the state stays as it is.
    tensors[i] = tensors[i].detach().requires_grad_(true);
  }
  return tensors;
}

Weights::Weights(const Program& program, const StateDict& state, c10::Device device) {
  at::NoGradGuard no_grad;
  const ByName named(state);
  for (const ProgramTensor& wanted : program.parameters) {
    wanted_.push_back(wanted);
    parameters_.push_back(copy_of(wanted, named, device));
  }
  for (const ProgramTensor& wanted : program.buffers) {
    wanted_.push_back(wanted);
    buffers_.push_back(copy_of(wanted, named, device));
  }
}

std::vector<at::Tensor> Weights::all() const {
  std::vector<at::Tensor> tensors = parameters_;
  tensors.insert(tensors.end(), buffers_.begin(), buffers_.end());
  return tensors;
}

ParameterShapes Weights::shapes() const {
  ParameterShapes shapes;
  shapes.reserve(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) shapes.push_back(wanted_[i].shape);
  return shapes;
}

// The optimizer refuses a tensor of another shape.
std::vector<Slots> Weights::to_kept(std::vector<Slots> slots) const {
  for (size_t i = 0; i < slots.size() && i < parameters_.size(); ++i) {
    for (auto& [name, tensor] : slots[i]) {
      if (tensor.sizes() == at::IntArrayRef(wanted_[i].shape)) tensor = to_stored(wanted_[i], tensor);
    }
  }
  return slots;
}

std::vector<at::Tensor> Weights::to_kept(const std::vector<at::Tensor>& tensors) const {
  check(tensors.size() == parameters_.size(), "ERR_STATE_MISMATCH", "Expected ", parameters_.size(),
        " averaged weights but received ", tensors.size());
  std::vector<at::Tensor> kept;
  kept.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].sizes() == at::IntArrayRef(wanted_[i].shape), "ERR_STATE_MISMATCH", "The average of \"",
          wanted_[i].name, "\" has shape ", tensors[i].sizes(), ", which is not that parameter's");
    kept.push_back(to_stored(wanted_[i], tensors[i].to(parameters_[i].device(), wanted_[i].dtype)));
  }
  return kept;
}

at::Tensor Weights::to_saved(size_t index, const at::Tensor& tensor) const {
  // Others, such as the number of steps, are not in the parameter's layout.
  const bool is_alike = index >= parameters_.size() || tensor.sizes() == parameters_[index].sizes();
  return is_alike ? from_stored(wanted_[index], tensor) : tensor.contiguous();
}

std::shared_ptr<const StateDict> Weights::release(const std::vector<std::string>& names) const {
  return dict_of(all(), names);
}

std::shared_ptr<StateDict> Weights::dict_of(const std::vector<at::Tensor>& tensors,
                                            const std::vector<std::string>& names) const {
  // One tensor for all names of a tie.
  std::vector<at::Tensor> saved(tensors.size());
  auto state = std::make_shared<StateDict>();
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < wanted_.size(); ++i) {
    places.emplace(wanted_[i].name, i);
    for (const std::string& name : wanted_[i].ties) places.emplace(name, i);
  }
  for (const std::string& name : names) {
    const auto found = places.find(name);
    check(found != places.end(), "ERR_INVALID_OPTION", "The program has no tensor named \"", name, "\"");
    const size_t index = found->second;
    if (!saved[index].defined()) saved[index] = from_stored(wanted_[index], tensors[index].detach()).cpu();
    state->push_back({name, saved[index]});
  }
  return state;
}

std::shared_ptr<const StateDict> Weights::copy(const std::vector<std::string>& names,
                                               const std::vector<at::Tensor>& parameters) const {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> tensors = all();
  std::copy(parameters.begin(), parameters.end(), tensors.begin());
  for (at::Tensor& tensor : tensors) tensor = tensor.detach().clone();
  return dict_of(tensors, names);
}

}  // namespace incremental
