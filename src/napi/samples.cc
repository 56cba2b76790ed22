// Samples between JavaScript and the core: values of inputs, targets, and their forms.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "src/core/error.h"
#include "src/napi/convert.h"

namespace incremental {
namespace {

struct ValueType {
  const char* name;
  napi_typedarray_type array;
  at::ScalarType dtype;
};

constexpr std::array kValueTypes = {
    ValueType{"uint8", napi_uint8_array, at::kByte}, ValueType{"int32", napi_int32_array, at::kInt},
    ValueType{"int64", napi_bigint64_array, at::kLong}, ValueType{"float32", napi_float32_array, at::kFloat}};

constexpr std::array kTargetKinds = {std::pair{"class", TargetKind::kClass}, std::pair{"classes", TargetKind::kClasses},
                                     std::pair{"values", TargetKind::kValues}, std::pair{"tokens", TargetKind::kTokens},
                                     std::pair{"none", TargetKind::kNone}};

}  // namespace

at::ScalarType to_value_type(const std::string& name) {
  const auto* type =
      std::find_if(kValueTypes.begin(), kValueTypes.end(), [&](const ValueType& one) { return one.name == name; });
  check(type != kValueTypes.end(), "ERR_INVALID_OPTION",
        "Expected uint8, int32, int64 or float32 for values but received ", name);
  return type->dtype;
}

std::string value_type_name(at::ScalarType dtype) {
  const auto* type =
      std::find_if(kValueTypes.begin(), kValueTypes.end(), [&](const ValueType& one) { return one.dtype == dtype; });
  check(type != kValueTypes.end(), "ERR_STATE_FORMAT", "No values of samples are ", toString(dtype));
  return type->name;
}

Elements Elements::of_samples(const Napi::Value& value) {
  return copy(value, "Expected a Uint8Array, an Int32Array, a BigInt64Array or a Float32Array for \"inputs\" of a plan",
              false);
}

Elements Elements::of_targets(const Napi::Value& value) {
  return copy(value, "Expected an Int32Array or a Float32Array for \"targets\" of a plan", true);
}

Elements Elements::copy(const Napi::Value& value, const char* expected, bool targets) {
  napi_typedarray_type kind{};
  size_t length = 0;
  void* data = nullptr;
  if (value.IsTypedArray()) {
    const napi_status status = napi_get_typedarray_info(value.Env(), value, &kind, &length, &data, nullptr, nullptr);
    if (status != napi_ok) throw Napi::Error::New(value.Env());
  }
  const auto fits = [&](const ValueType& type) {
    const bool is_target = type.dtype == at::kInt || type.dtype == at::kFloat;
    return kind == type.array && (is_target || !targets);
  };
  const auto* type = std::find_if(kValueTypes.begin(), kValueTypes.end(), fits);
  check(value.IsTypedArray() && type != kValueTypes.end(), "ERR_INVALID_OPTION", expected);
  Elements elements;
  elements.dtype_ = type->dtype;
  elements.count_ = static_cast<int64_t>(length);
  const size_t bytes = length * c10::elementSize(type->dtype);
  elements.bytes_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
  if (bytes > 0) std::memcpy(elements.bytes_.get(), data, bytes);
  return elements;
}

at::Tensor Elements::to_tensor() && {
  std::byte* bytes = bytes_.release();
  const auto free = [](void* memory) { delete[] static_cast<std::byte*>(memory); };
  return at::from_blob(bytes, {count_}, free, at::dtype(dtype_));
}

at::Tensor to_samples(Elements elements, std::vector<int64_t> shape) {
  at::Tensor samples = std::move(elements).to_tensor();
  const int64_t total = samples.numel();
  int64_t sample = 1;
  for (const int64_t size : shape) {
    check(size > 0 && sample <= total / size, "ERR_DATA_FORMAT", "Samples of shape ", at::IntArrayRef(shape),
          " need more than the ", total, " elements given");
    sample *= size;
  }
  check(total % sample == 0, "ERR_DATA_FORMAT", "Expected whole samples of ", sample, " elements but received ", total,
        " elements");
  return samples.view(batch_shape(total / sample, std::move(shape)));
}

NamedInputs to_inputs(const Napi::Array& from) {
  NamedInputs inputs;
  for (const Napi::Object& input : to_objects(from, "Expected { name, data, shape } for each input of a plan")) {
    inputs.names.push_back(string(input, "name"));
    inputs.tensors.push_back(to_samples(Elements::of_samples(own(input, "data")), integers(input, "shape")));
  }
  check(!inputs.names.empty(), "ERR_INVALID_OPTION", "Expected at least one input in a plan");
  return inputs;
}

std::vector<InputForm> to_input_forms(const Napi::Array& from) {
  std::vector<InputForm> forms;
  for (const Napi::Object& form : to_objects(from, "Expected { name, dtype, shape } for each input of a plan")) {
    forms.push_back({string(form, "name"), to_value_type(string(form, "dtype")), integers(form, "shape")});
    const std::vector<int64_t>& shape = forms.back().shape;
    check(std::all_of(shape.begin(), shape.end(), [](int64_t size) { return size > 0; }), "ERR_INVALID_OPTION",
          "Expected positive sizes for the shape of an input");
  }
  check(!forms.empty(), "ERR_INVALID_OPTION", "Expected at least one input in a plan");
  return forms;
}

Napi::Array shape_to_js(Napi::Env env, at::IntArrayRef sizes) {
  Napi::Array shape = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); ++i) shape[i] = static_cast<double>(sizes[i]);
  return shape;
}

Napi::Array inputs_to_js(Napi::Env env, const std::vector<InputForm>& forms) {
  Napi::Array result = Napi::Array::New(env, forms.size());
  for (uint32_t i = 0; i < forms.size(); ++i) {
    Napi::Object form = Napi::Object::New(env);
    form["name"] = forms[i].name;
    form["dtype"] = value_type_name(forms[i].dtype);
    form["shape"] = shape_to_js(env, forms[i].shape);
    result[i] = form;
  }
  return result;
}

TargetKind to_target_kind(const std::string& name) {
  const auto* found =
      std::find_if(kTargetKinds.begin(), kTargetKinds.end(), [&](const auto& one) { return one.first == name; });
  check(found != kTargetKinds.end(), "ERR_INVALID_OPTION", "Unknown kind of target \"", name, "\"");
  return found->second;
}

TargetForm to_target_form(const Napi::Object& from, int64_t classes) {
  TargetForm form{to_target_kind(string(from, "kind")), integers(from, "shape"), classes};
  check(form.shape.empty() || (form.kind != TargetKind::kClass && form.kind != TargetKind::kNone), "ERR_INVALID_OPTION",
        "Expected no shape for a target that is a class");
  int64_t elements = 1;
  for (const int64_t size : form.shape) {
    check(size > 0 && elements <= std::numeric_limits<int32_t>::max() / size, "ERR_INVALID_OPTION",
          "Expected positive sizes for the shape of a target");
    elements *= size;
  }
  return form;
}

Napi::Object target_to_js(Napi::Env env, const TargetForm& form) {
  const auto* kind =
      std::find_if(kTargetKinds.begin(), kTargetKinds.end(), [&](const auto& one) { return one.second == form.kind; });
  Napi::Object result = Napi::Object::New(env);
  result["kind"] = kind->first;
  result["shape"] = shape_to_js(env, form.shape);
  return result;
}

Napi::Value to_values(Napi::Env env, const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte:
      return to_typed_array<Napi::Uint8Array, uint8_t>(env, tensor);
    case at::kInt:
      return to_typed_array<Napi::Int32Array, int32_t>(env, tensor);
    case at::kLong:
      return to_typed_array<Napi::BigInt64Array, int64_t>(env, tensor);
    default:
      return to_typed_array<Napi::Float32Array, float>(env, tensor);
  }
}

Napi::Value to_target_values(Napi::Env env, const at::Tensor& targets) {
  if (!targets.defined()) return Napi::Int32Array::New(env, 0);
  if (targets.scalar_type() != at::kLong) return to_values(env, targets);
  // No tensor operation: it could start a team of threads for the JavaScript thread.
  auto indices = Napi::Int32Array::New(env, targets.numel());
  std::copy_n(targets.const_data_ptr<int64_t>(), targets.numel(), indices.Data());
  return indices;
}

}  // namespace incremental
