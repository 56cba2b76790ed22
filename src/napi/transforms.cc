#include "src/napi/transforms.h"

#include "src/napi/convert.h"

namespace incremental {
namespace {

Transform to_transform(const Napi::Object& value) {
  Transform transform;
  transform.kind = string(value, "kind");
  if (value.HasOwnProperty("p")) transform.numbers = {number(value, "p")};
  if (value.HasOwnProperty("degrees")) transform.numbers = numbers(value, "degrees");
  if (value.HasOwnProperty("size")) transform.numbers = numbers(value, "size");
  if (value.HasOwnProperty("padding")) transform.numbers.push_back(number(value, "padding"));
  if (value.HasOwnProperty("mean")) transform.mean = numbers(value, "mean");
  if (value.HasOwnProperty("std")) transform.std = numbers(value, "std");
  return transform;
}

}  // namespace

std::vector<Transform> to_transforms(const Napi::Array& values) {
  std::vector<Transform> transforms;
  for (uint32_t i = 0; i < values.Length(); ++i) transforms.push_back(to_transform(values.Get(i).As<Napi::Object>()));
  return transforms;
}

}  // namespace incremental
