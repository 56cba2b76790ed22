// Plain JavaScript values to core values. lib/ has checked the plans it makes; here only what memory safety rests on is
// checked again. Typed arrays are copied: nothing off the JavaScript thread touches JavaScript memory.
#pragma once
#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "src/core/choice.h"
#include "src/core/error.h"
#include "src/core/file.h"
#include "src/core/libtorch.h"
#include "src/core/sample_form.h"
#include "src/optimizers/parameter_groups.h"
#include "src/state/state_dict.h"
#include "src/train/evaluation.h"

namespace incremental {

// An own property; undefined where it does not exist. Everything below reads these only: what a prototype holds, such
// as Object.prototype where some package wrote to it, is no part of a plan.
Napi::Value own(const Napi::Object& object, const char* key);

// Each throws ERR_INVALID_OPTION naming `key` where the property has another type.
int64_t integer(const Napi::Object& object, const char* key);
// The same of one that `Narrow` must hold.
template <class Narrow>
Narrow integer(const Napi::Object& object, const char* key) {
  const int64_t wide = integer(object, key);
  check(wide >= int64_t{std::numeric_limits<Narrow>::min()} && wide <= int64_t{std::numeric_limits<Narrow>::max()},
        "ERR_INVALID_OPTION", "Expected a smaller integer for \"", key, "\" of a plan but received ", wide);
  return static_cast<Narrow>(wide);
}
double number(const Napi::Object& object, const char* key);
bool boolean(const Napi::Object& object, const char* key);
std::string string(const Napi::Object& object, const char* key);
Napi::Object object(const Napi::Object& parent, const char* key);
Napi::Array array(const Napi::Object& object, const char* key);
std::vector<int64_t> integers(const Napi::Object& object, const char* key);
std::vector<double> numbers(const Napi::Object& object, const char* key);
std::vector<std::string> strings(const Napi::Object& object, const char* key);

int64_t to_integer(const Napi::Value& value, const char* key);
std::vector<std::string> to_strings(const Napi::Array& values, const char* key);

// The names of an object's own properties.
std::vector<std::string> own_words(const Napi::Object& object);

// The items of a list, each an object; `expected` is the error's text where one is something else.
std::vector<Napi::Object> to_objects(const Napi::Array& values, const char* expected);

// The dtypes of values of samples: uint8, int32, int64 and float32.
at::ScalarType to_value_type(const std::string& name);
std::string value_type_name(at::ScalarType dtype);

// A member of a family, { kind, …options }: options that are numbers, booleans, words, lists of numbers or lists of
// members.
Choice choice(const Napi::Object& object, const char* key);
std::vector<Choice> choices(const Napi::Object& object, const char* key);

// { optimizer, parameters } each.
std::vector<ParameterGroup> to_groups(const Napi::Array& from);

// The file that a plan is about, { path, descriptor }, open for as long as this lives.
std::shared_ptr<const File> to_file(const Napi::Object& plan);

// A copy of an Int32Array.
std::vector<int32_t> to_labels(const Napi::Value& value);

// A JavaScript typed array with the elements of a contiguous tensor.
template <class Array, class Element>
Array to_typed_array(Napi::Env env, const at::Tensor& tensor) {
  Array result = Array::New(env, tensor.numel());
  // An empty array may have no memory, which memcpy() must not get.
  if (tensor.nbytes() > 0) std::memcpy(result.Data(), tensor.const_data_ptr<Element>(), tensor.nbytes());
  return result;
}

// A list of handles of states.
States to_states(const Napi::Value& from);

// A tensor of a state, { state, index }; undefined for null.
at::Tensor to_tensor(const Napi::Value& from);

// A list of such tensors.
std::vector<at::Tensor> to_tensors(const Napi::Array& from);

// Such tensors by their names.
std::shared_ptr<const StateDict> to_state(const Napi::Object& from);

// For each parameter, an object of such tensors or of numbers, by the names of an optimizer's slots.
std::vector<Slots> to_slots(const Napi::Array& from);

// A copy of a typed array's elements. To be made into a tensor where that is computed with, off the JavaScript thread,
// which sleeps between two calls and finds libtorch's code cold.
class Elements {
 public:
  // Of a Uint8Array, an Int32Array, a BigInt64Array or a Float32Array; of targets, an Int32Array or a Float32Array.
  static Elements of_samples(const Napi::Value& value);
  static Elements of_targets(const Napi::Value& value);

  // One axis, without another copy.
  at::Tensor to_tensor() &&;

 private:
  static Elements copy(const Napi::Value& value, const char* expected, bool targets);

  at::ScalarType dtype_ = at::kByte;
  int64_t count_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
};

// [sample, …]: whole samples of `shape`. Throws ERR_DATA_FORMAT where the elements are not.
at::Tensor to_samples(Elements elements, std::vector<int64_t> shape);

// Named inputs with their data, { name, data, shape } each.
struct NamedInputs {
  std::vector<std::string> names;
  std::vector<at::Tensor> tensors;
};
NamedInputs to_inputs(const Napi::Array& from);

// { name, dtype, shape } each, and back.
std::vector<InputForm> to_input_forms(const Napi::Array& from);
Napi::Array inputs_to_js(Napi::Env env, const std::vector<InputForm>& forms);

TargetKind to_target_kind(const std::string& name);

// { kind, shape }, and back.
TargetForm to_target_form(const Napi::Object& from, int64_t classes);
Napi::Object target_to_js(Napi::Env env, const TargetForm& form);

// Copies: typed arrays of the tensor's type; of int64 targets an Int32Array.
Napi::Value to_values(Napi::Env env, const at::Tensor& tensor);
Napi::Value to_target_values(Napi::Env env, const at::Tensor& targets);

// Counts as numbers; those that are undefined as empty arrays.
Napi::Object to_js(Napi::Env env, const Evaluation& evaluation);

Napi::Array shape_to_js(Napi::Env env, at::IntArrayRef sizes);

}  // namespace incremental
