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

std::vector<std::vector<Transform>> to_transforms(const Napi::Array& lists) {
  std::vector<std::vector<Transform>> transforms(lists.Length());
  for (uint32_t i = 0; i < lists.Length(); ++i) {
    const Napi::Value list = lists[i];
    check(list.IsArray(), "ERR_INVALID_OPTION", "Expected a list of transforms for each input");
    for (const Napi::Object& value : to_objects(list.As<Napi::Array>(), "Expected transforms in a plan")) {
      transforms[i].push_back(to_transform(value));
    }
  }
  return transforms;
}

}  // namespace incremental
