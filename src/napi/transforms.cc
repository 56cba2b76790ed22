#include "src/napi/transforms.h"

#include "src/napi/convert.h"

namespace incremental {
namespace {

Transform to_transform(const Napi::Object& value) {
  Transform transform;
  transform.kind = string(value, "kind");
  if (value.Has("p")) transform.numbers = {number(value, "p")};
  if (value.Has("degrees")) transform.numbers = numbers(value, "degrees");
  if (value.Has("size")) transform.numbers = numbers(value, "size");
  if (value.Has("padding")) transform.numbers.push_back(number(value, "padding"));
  if (value.Has("mean")) transform.mean = numbers(value, "mean");
  if (value.Has("std")) transform.std = numbers(value, "std");
  return transform;
}

}  // namespace

std::vector<Transform> to_transforms(const Napi::Array& values) {
  std::vector<Transform> transforms;
  for (uint32_t i = 0; i < values.Length(); ++i) transforms.push_back(to_transform(values.Get(i).As<Napi::Object>()));
  return transforms;
}

}  // namespace incremental
