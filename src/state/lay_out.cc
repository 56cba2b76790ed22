#include "src/state/lay_out.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "src/core/error.h"
#include "src/state/dtypes.h"
#include "src/state/extent.h"

namespace incremental {
namespace {

int64_t width_of(const Place& place) { return static_cast<int64_t>(c10::elementSize(place.dtype)); }

bool is_empty(const Place& place) { return std::find(place.shape.begin(), place.shape.end(), 0) != place.shape.end(); }

// Bytes of its storage that a place reaches to.
int64_t end_of(const Place& place) {
  return extent_of("a place", place.shape, place.stride, place.offset) * width_of(place);
}

at::Tensor viewed(const at::Tensor& tensor, const Place& place) {
  // Before PyTorch 0.4 no tensor was without dimensions.
  return place.shape.empty() && tensor.dim() == 1 ? tensor.select(0, 0) : tensor;
}

void check_tensor(const StateDict& state, int64_t index, const Place& place) {
  check(index >= 0 && index < static_cast<int64_t>(state.size()), "ERR_INVALID_OPTION", "A plan names tensor ", index,
        " of ", state.size());
  const auto& [name, tensor] = state[index];
  check(tensor.scalar_type() == place.dtype, "ERR_STATE_MISMATCH", "Expected ", name_of(place.dtype), " for \"", name,
        "\" but the state has ", name_of(tensor.scalar_type()));
  const bool is_old = place.shape.empty() && tensor.dim() == 1 && tensor.numel() == 1;
  check(is_old || tensor.sizes() == at::IntArrayRef(place.shape), "ERR_STATE_MISMATCH", "Expected shape ",
        at::IntArrayRef(place.shape), " for \"", name, "\" but the state has ", tensor.sizes());
}

void check_plan(const StateDict& state, const LayoutPlan& plan) {
  check(plan.places.size() < std::numeric_limits<int32_t>::max(), "ERR_INVALID_OPTION", "A plan has too many places");
  for (const int64_t bytes : plan.storages) {
    check(bytes >= 0, "ERR_INVALID_OPTION", "A plan has a storage of ", bytes, " bytes");
  }
  for (const Place& place : plan.places) {
    check(place.storage >= 0 && place.storage < static_cast<int64_t>(plan.storages.size()), "ERR_INVALID_OPTION",
          "A plan names storage ", place.storage, " of ", plan.storages.size());
    check(!place.tensors.empty(), "ERR_INVALID_OPTION", "A plan has a place for no tensor");
    const int64_t room = plan.storages[place.storage] / width_of(place);
    const int64_t extent = extent_of("a place", place.shape, place.stride, place.offset);
    check(extent <= room, "ERR_INVALID_OPTION", "A plan has a place that reaches to element ", extent,
          " of a storage of ", room);
    for (const int64_t index : place.tensors) check_tensor(state, index, place);
  }
}

// The bits of numbers as integers, which are copied and compared without a meaning: NaN is itself and 0 is not -0.
at::Tensor bits_of(const at::Tensor& tensor) {
  const at::Tensor real = tensor.is_complex() ? at::view_as_real(tensor) : tensor;
  switch (real.element_size()) {
    case 1:
      return real.view(at::kByte);
    case 2:
      return real.view(at::kShort);
    case 4:
      return real.view(at::kInt);
    default:
      return real.view(at::kLong);
  }
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) { return at::equal(bits_of(a), bits_of(b)); }

bool same_memory(const at::Tensor& a, const at::Tensor& b) {
  return a.is_alias_of(b) && a.storage_offset() == b.storage_offset() && a.strides() == b.strides();
}

// False where no two elements of the tensor are one; true where they are, or where that takes long to find out.
bool may_overlap(const at::Tensor& tensor) {
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride and size
  for (int64_t axis = 0; axis < tensor.dim(); ++axis) {
    if (tensor.size(axis) > 1) axes.emplace_back(tensor.stride(axis), tensor.size(axis));
  }
  std::sort(axes.begin(), axes.end());
  int64_t reach = 0;
  for (const auto& [stride, size] : axes) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

at::Tensor view_of(const at::Tensor& memory, const Place& place, int64_t offset) {
  return at::empty({0}, place.dtype).set_(memory.storage(), offset, place.shape, place.stride);
}

// Without the axes along which all elements are one in both.
std::pair<at::Tensor, at::Tensor> without_expanded(at::Tensor to, at::Tensor from) {
  for (int64_t axis = 0; axis < to.dim(); ++axis) {
    if (to.size(axis) < 2 || to.stride(axis) != 0 || from.stride(axis) != 0) continue;
    to = to.narrow(axis, 0, 1);
    from = from.narrow(axis, 0, 1);
  }
  return {to, from};
}

void put(const at::Tensor& memory, const Place& place, int64_t offset, const NamedTensor& source) {
  const auto [to, from] = without_expanded(view_of(memory, place, offset), viewed(source.tensor, place));
  if (!may_overlap(to)) {
    bits_of(to).copy_(bits_of(from));
    return;
  }
  at::Tensor first_to = to, first_from = from;
  for (int64_t axis = 0; axis < to.dim(); ++axis) {
    if (to.size(axis) < 2 || to.stride(axis) != 0) continue;
    first_to = first_to.narrow(axis, 0, 1);
    first_from = first_from.narrow(axis, 0, 1);
  }
  bits_of(first_to).copy_(bits_of(first_from));
  check(same_bits(to, from), "ERR_STATE_MISMATCH", "Expected equal values in \"", source.name,
        "\", of which several elements are one number in the program (strides ", at::IntArrayRef(place.stride),
        ") but the state has different ones");
}

void check_ties(const StateDict& state, const Place& place) {
  const NamedTensor& first = state[place.tensors.front()];
  for (const int64_t index : place.tensors) {
    const NamedTensor& other = state[index];
    const at::Tensor a = viewed(first.tensor, place), b = viewed(other.tensor, place);
    check(same_memory(a, b) || same_bits(a, b), "ERR_STATE_MISMATCH", "Expected equal values for \"", first.name,
          "\" and \"", other.name, "\", which are one tensor of the program, but the state has different ones");
  }
}

// Whether a tensor's memory is, from its first to its last byte, what a storage of so many bytes with only this place
// is to be.
bool is_laid_out(const at::Tensor& tensor, const Place& place, int64_t bytes) {
  return tensor.strides() == at::IntArrayRef(place.stride) && static_cast<int64_t>(tensor.nbytes()) == bytes &&
         tensor.is_non_overlapping_and_dense();
}

// False where each place begins after all before it end, as they mostly do; else they may overlap.
bool may_overlap(const std::vector<const Place*>& places) {
  int64_t end = 0;
  for (const Place* place : places) {
    if (place->offset * width_of(*place) < end) return true;
    end = end_of(*place);
  }
  return false;
}

// What lies in one storage.
class StorageLayout {
 public:
  StorageLayout(const StateDict& state, int64_t bytes) : state_(state), bytes_(bytes) {}

  void add(const Place& place, size_t index) {
    places_.push_back(&place);
    indices_.push_back(index);
  }

  // Adds the indices of displaced places to `displaced`.
  at::Tensor fill(std::vector<int32_t>& displaced) const {
    if (places_.size() == 1) {
      const at::Tensor tensor = viewed(first_of(0), *places_[0]);
      if (is_laid_out(tensor, *places_[0], bytes_)) {
        return at::from_blob(
            tensor.mutable_data_ptr(), {bytes_}, [tensor](void*) {}, at::kByte);
      }
    }
    at::Tensor memory = at::zeros({bytes_}, at::kByte);
    const bool is_shared = may_overlap(places_);
    const at::Tensor taken = is_shared ? at::zeros({bytes_}, at::kByte) : at::Tensor();
    for (size_t i = 0; i < places_.size(); ++i) {
      const Place& place = *places_[i];
      if (is_shared && !take(memory, taken, place, viewed(first_of(i), place))) {
        displaced.push_back(static_cast<int32_t>(indices_[i]));
      } else {
        put(memory, place, place.offset, state_[place.tensors.front()]);
      }
    }
    return memory;
  }

 private:
  const at::Tensor& first_of(size_t i) const { return state_[places_[i]->tensors.front()].tensor; }

  // False where another place took some of this one's memory for other values.
  static bool take(const at::Tensor& memory, const at::Tensor& taken, const Place& place, const at::Tensor& tensor) {
    const auto [there, from] = without_expanded(view_of(memory, place, place.offset), tensor);
    const at::Tensor marks = view_of(taken, place, place.offset);
    const at::Tensor is_taken = bits_of(without_expanded(marks, tensor).first).ne(0);
    if (bits_of(there).ne(bits_of(from)).logical_and_(is_taken).any().item<bool>()) return false;
    bits_of(without_expanded(marks, marks).first).fill_(-1);
    return true;
  }

  const StateDict& state_;
  int64_t bytes_;
  std::vector<const Place*> places_;
  std::vector<size_t> indices_;
};

}  // namespace

Layout lay_out(const StateDict& state, const LayoutPlan& plan) {
  at::NoGradGuard no_grad;
  check_plan(state, plan);
  std::vector<StorageLayout> storages;
  storages.reserve(plan.storages.size());
  for (const int64_t bytes : plan.storages) storages.emplace_back(state, bytes);
  for (size_t i = 0; i < plan.places.size(); ++i) {
    const Place& place = plan.places[i];
    check_ties(state, place);
    if (!is_empty(place)) storages[place.storage].add(place, i);
  }
  Layout layout;
  for (const StorageLayout& storage : storages) layout.storages.push_back({"", storage.fill(layout.displaced)});
  for (const int32_t index : layout.displaced) {
    const Place& place = plan.places[index];
    at::Tensor memory = at::zeros({end_of(place) - place.offset * width_of(place)}, at::kByte);
    put(memory, place, 0, state[place.tensors.front()]);
    layout.storages.push_back({"", memory});
  }
  return layout;
}

}  // namespace incremental
