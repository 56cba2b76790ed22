#include "src/state/dtypes.h"

#include "src/core/error.h"

namespace incremental {
namespace {

struct Named {
  const char* name;
  at::ScalarType dtype;
};

constexpr Named kDtypes[] = {
    {"float32", at::ScalarType::Float},
    {"float64", at::ScalarType::Double},
    {"float16", at::ScalarType::Half},
    {"bfloat16", at::ScalarType::BFloat16},
    {"int64", at::ScalarType::Long},
    {"int32", at::ScalarType::Int},
    {"int16", at::ScalarType::Short},
    {"int8", at::ScalarType::Char},
    {"uint8", at::ScalarType::Byte},
    {"bool", at::ScalarType::Bool},
    {"complex64", at::ScalarType::ComplexFloat},
    {"complex128", at::ScalarType::ComplexDouble},
    {"complex32", at::ScalarType::ComplexHalf},
    {"uint16", at::ScalarType::UInt16},
    {"uint32", at::ScalarType::UInt32},
    {"uint64", at::ScalarType::UInt64},
    {"float8_e5m2", at::ScalarType::Float8_e5m2},
    {"float8_e4m3fn", at::ScalarType::Float8_e4m3fn},
    {"float8_e5m2fnuz", at::ScalarType::Float8_e5m2fnuz},
    {"float8_e4m3fnuz", at::ScalarType::Float8_e4m3fnuz},
    {"float8_e8m0fnu", at::ScalarType::Float8_e8m0fnu},
};

}  // namespace

at::ScalarType dtype_named(const std::string& name) {
  for (const Named& known : kDtypes) {
    if (name == known.name) return known.dtype;
  }
  throw Error("ERR_STATE_FORMAT", c10::str("Unknown dtype \"", name, "\""));
}

const char* name_of(at::ScalarType dtype) {
  for (const Named& known : kDtypes) {
    if (dtype == known.dtype) return known.name;
  }
  throw Error("ERR_STATE_FORMAT", c10::str("A state cannot hold tensors of dtype ", dtype));
}

}  // namespace incremental
