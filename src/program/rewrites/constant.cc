#include "src/program/rewrites/constant.h"

#include <cmath>

#include "src/core/error.h"

namespace incremental {
namespace {

bool is_integral(double number) { return std::trunc(number) == number && std::abs(number) <= 9007199254740992.0; }

class Converter {
 public:
  Converter(const c10::Argument& schema, const std::string& label) : schema_(schema), label_(label) {}

  c10::IValue convert(const Argument& value, const c10::TypePtr& type) const {
    if (auto optional = type->cast<c10::OptionalType>()) {
      if (std::holds_alternative<std::monostate>(value)) return {};
      return convert(value, optional->getElementType());
    }
    if (auto list = type->cast<c10::ListType>()) return convert_list(value, list->getElementType());
    if (auto flag = std::get_if<bool>(&value)) return convert_flag(*flag, type);
    if (auto word = std::get_if<std::string>(&value); word && type->kind() == c10::TypeKind::StringType) return *word;
    if (auto number = std::get_if<double>(&value)) return convert_number(*number, type);
    if (auto number = std::get_if<Int>(&value)) return typed(c10::IValue(number->value), type);
    if (auto number = std::get_if<Float>(&value)) return typed(c10::IValue(number->value), type);
    return convert_form(value);
  }

 private:
  // How a tensor is stored. Schemas have these as integers, but for devices; their real type says which.
  c10::IValue convert_form(const Argument& value) const {
    auto optional = schema_.real_type()->cast<c10::OptionalType>();
    const c10::TypePtr real = optional ? optional->getElementType() : schema_.real_type();
    const auto fits = [&](c10::TypeKind kind) { return real->kind() == kind; };
    if (auto dtype = std::get_if<at::ScalarType>(&value); dtype && fits(c10::TypeKind::ScalarTypeType)) return *dtype;
    if (auto layout = std::get_if<at::Layout>(&value); layout && fits(c10::TypeKind::LayoutType)) return *layout;
    if (auto format = std::get_if<at::MemoryFormat>(&value); format && fits(c10::TypeKind::MemoryFormatType)) {
      return *format;
    }
    throw mismatch();
  }

  // A number of a known type: an integer may become a float where only that is taken, as Python's does.
  c10::IValue typed(const c10::IValue& number, const c10::TypePtr& type) const {
    switch (type->kind()) {
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType:
        if (!number.isInt()) throw mismatch();
        return number;
      case c10::TypeKind::FloatType:
        return number.isInt() ? c10::IValue(static_cast<double>(number.toInt())) : number;
      case c10::TypeKind::NumberType:
        return number;
      case c10::TypeKind::TensorType:
        return wrapped_number(number.toScalar());
      default:
        throw mismatch();
    }
  }

  c10::IValue convert_flag(bool flag, const c10::TypePtr& type) const {
    const auto kind = type->kind();
    if (kind == c10::TypeKind::BoolType || kind == c10::TypeKind::NumberType) return flag;
    if (kind == c10::TypeKind::TensorType) return wrapped_number(flag);
    throw mismatch();
  }

  c10::IValue convert_number(double number, const c10::TypePtr& type) const {
    switch (type->kind()) {
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType:
        return integer(number);
      case c10::TypeKind::FloatType:
        return number;
      case c10::TypeKind::NumberType:
        return is_integral(number) ? c10::IValue(static_cast<int64_t>(number)) : c10::IValue(number);
      // As Python does with `tensor + 1`: a 0-dim tensor that does not take part in type promotion.
      case c10::TypeKind::TensorType:
        return typed(is_integral(number) ? c10::IValue(static_cast<int64_t>(number)) : c10::IValue(number), type);
      default:
        throw mismatch();
    }
  }

  c10::IValue convert_list(const Argument& value, const c10::TypePtr& element) const {
    auto numbers = std::get_if<std::vector<double>>(&value);
    if (numbers == nullptr) throw mismatch();
    switch (element->kind()) {
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType: {
        c10::List<int64_t> list;
        for (double number : *numbers) list.push_back(integer(number));
        return list;
      }
      case c10::TypeKind::FloatType: {
        c10::List<double> list;
        for (double number : *numbers) list.push_back(number);
        return list;
      }
      default:
        throw mismatch();
    }
  }

  int64_t integer(double number) const {
    if (!is_integral(number)) throw mismatch();
    return static_cast<int64_t>(number);
  }

  Error mismatch() const {
    return {"ERR_INVALID_OPTION",
            c10::str("Expected ", schema_.type()->str(), " for argument \"", schema_.name(), "\" of ", label_)};
  }

  const c10::Argument& schema_;
  const std::string& label_;
};

}  // namespace

at::Tensor wrapped_number(const at::Scalar& number) {
  at::Tensor tensor = at::scalar_tensor(number, number.type());
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

c10::IValue constant(const Argument& value, const c10::Argument& schema, const std::string& label) {
  return Converter(schema, label).convert(value, schema.type());
}

}  // namespace incremental
