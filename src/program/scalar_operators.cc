#include "src/program/scalar_operators.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>

#include "src/core/error.h"

namespace incremental {
namespace {

using Arguments = std::vector<c10::IValue>;

bool are_integers(const Arguments& numbers) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [](const c10::IValue& number) { return number.isInt() || number.isBool(); });
}

int64_t integer(const c10::IValue& number) {
  return number.isBool() ? static_cast<int64_t>(number.toBool()) : number.toInt();
}

double real(const c10::IValue& number) {
  return number.isDouble() ? number.toDouble() : static_cast<double>(integer(number));
}

void check_exact(bool overflows, const char* what) {
  check(!overflows, "ERR_SHAPE", "The numbers of the program are too large to ", what);
}

int64_t floor_quotient(int64_t a, int64_t b) {
  check(b != 0 && !(a == std::numeric_limits<int64_t>::min() && b == -1), "ERR_SHAPE",
        "Expected a divisor for the numbers of the program but received ", b);
  return a / b - static_cast<int64_t>(a % b != 0 && (a < 0) != (b < 0));
}

int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  // Beyond 63 steps only 0, 1 and -1 stay in range.
  for (int64_t i = 0; i < exponent && result != 0; ++i) {
    if (i > 64 && (base == 1 || base == -1)) return base == 1 || exponent % 2 == 0 ? 1 : -1;
    check_exact(__builtin_mul_overflow(result, base, &result), "raise");
  }
  return result;
}

template <class Integers, class Reals>
c10::IValue by_type(const Arguments& numbers, Integers integers, Reals reals) {
  if (are_integers(numbers)) return c10::IValue(integers(integer(numbers[0]), integer(numbers[1])));
  return c10::IValue(reals(real(numbers[0]), real(numbers[1])));
}

// `overflows`: computes the result, and returns true if it exceeds 64 bits. `name`: of the operation, for the message.
template <class Overflows, class Reals>
c10::IValue exact(const Arguments& numbers, const char* name, Overflows overflows, Reals reals) {
  return by_type(
      numbers,
      [&](int64_t a, int64_t b) {
        int64_t result = 0;
        check_exact(overflows(a, b, &result), name);
        return result;
      },
      reals);
}

c10::IValue add(const Arguments& numbers) {
  return exact(
      numbers, "add", [](int64_t a, int64_t b, int64_t* sum) { return __builtin_add_overflow(a, b, sum); },
      std::plus<double>());
}

c10::IValue subtract(const Arguments& numbers) {
  return exact(
      numbers, "subtract", [](int64_t a, int64_t b, int64_t* rest) { return __builtin_sub_overflow(a, b, rest); },
      std::minus<double>());
}

c10::IValue multiply(const Arguments& numbers) {
  return exact(
      numbers, "multiply", [](int64_t a, int64_t b, int64_t* all) { return __builtin_mul_overflow(a, b, all); },
      std::multiplies<double>());
}

c10::IValue floor_divide(const Arguments& numbers) {
  return by_type(numbers, floor_quotient, [](double a, double b) { return std::floor(a / b); });
}

c10::IValue remainder(const Arguments& numbers) {
  return by_type(
      numbers,
      [](int64_t a, int64_t b) {
        check(b != 0, "ERR_SHAPE", "Expected a divisor for the numbers of the program but received 0");
        const int64_t rest = b == -1 ? 0 : a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
      },
      [](double a, double b) { return a - std::floor(a / b) * b; });
}

c10::IValue divide(const Arguments& numbers) {
  check(real(numbers[1]) != 0, "ERR_SHAPE", "Expected a divisor for the numbers of the program but received 0");
  return real(numbers[0]) / real(numbers[1]);
}

c10::IValue raise(const Arguments& numbers) {
  if (are_integers(numbers) && integer(numbers[1]) >= 0) return power(integer(numbers[0]), integer(numbers[1]));
  return std::pow(real(numbers[0]), real(numbers[1]));
}

template <class Compare>
c10::IValue compare(const Arguments& numbers) {
  if (are_integers(numbers)) return Compare()(integer(numbers[0]), integer(numbers[1]));
  return Compare()(real(numbers[0]), real(numbers[1]));
}

template <bool kLargest>
c10::IValue extreme(const Arguments& numbers) {
  const bool is_less = compare<std::less<>>(numbers).toBool();
  return is_less == kLargest ? numbers[1] : numbers[0];
}

c10::IValue to_integer(const Arguments& numbers) {
  if (are_integers(numbers)) return integer(numbers[0]);
  const double number = real(numbers[0]);
  check(std::abs(number) < 9.2e18, "ERR_SHAPE", "Expected a number of the program that fits an integer");
  return static_cast<int64_t>(number);
}

int64_t distance(const c10::IValue& number) {
  const int64_t bits = integer(number);
  check(bits >= 0 && bits < 64, "ERR_SHAPE", "Expected a shift of 0 to 63 bits in the program but received ", bits);
  return bits;
}

c10::IValue shift_left(const Arguments& numbers) {
  int64_t shifted = 0;
  const int64_t bits = distance(numbers[1]);
  check_exact(bits == 63 || __builtin_mul_overflow(integer(numbers[0]), int64_t{1} << bits, &shifted), "shift");
  return shifted;
}

const std::unordered_map<std::string, ScalarOperator>& all() {
  static const std::unordered_map<std::string, ScalarOperator> kOperators{
      {"scalar::add", {2, add}},
      {"scalar::sub", {2, subtract}},
      {"scalar::mul", {2, multiply}},
      {"scalar::floordiv", {2, floor_divide}},
      {"scalar::mod", {2, remainder}},
      {"scalar::truediv", {2, divide}},
      {"scalar::pow", {2, raise}},
      {"scalar::eq", {2, compare<std::equal_to<>>}},
      {"scalar::ne", {2, compare<std::not_equal_to<>>}},
      {"scalar::lt", {2, compare<std::less<>>}},
      {"scalar::le", {2, compare<std::less_equal<>>}},
      {"scalar::gt", {2, compare<std::greater<>>}},
      {"scalar::ge", {2, compare<std::greater_equal<>>}},
      {"scalar::max", {2, extreme<true>}},
      {"scalar::min", {2, extreme<false>}},
      {"scalar::and", {2, [](const Arguments& n) { return c10::IValue(n[0].toBool() && n[1].toBool()); }}},
      {"scalar::or", {2, [](const Arguments& n) { return c10::IValue(n[0].toBool() || n[1].toBool()); }}},
      {"scalar::not", {1, [](const Arguments& n) { return c10::IValue(!n[0].toBool()); }}},
      {"scalar::neg",
       {1,
        [](const Arguments& n) {
          return subtract({c10::IValue(int64_t{0}), n[0]});
        }}},
      {"scalar::float", {1, [](const Arguments& n) { return c10::IValue(real(n[0])); }}},
      {"scalar::int", {1, to_integer}},
      {"scalar::trunc", {1, to_integer}},
      {"scalar::pos", {1, [](const Arguments& n) { return n[0]; }}},
      {"scalar::lshift", {2, shift_left}},
      {"scalar::rshift", {2, [](const Arguments& n) { return c10::IValue(integer(n[0]) >> distance(n[1])); }}},
      {"scalar::ite", {3, [](const Arguments& n) { return n[0].toBool() ? n[1] : n[2]; }}},
      {"scalar::sqrt", {1, [](const Arguments& n) { return c10::IValue(std::sqrt(real(n[0]))); }}},
      {"scalar::floor", {1, [](const Arguments& n) { return to_integer({c10::IValue(std::floor(real(n[0])))}); }}},
      {"scalar::ceil", {1, [](const Arguments& n) { return to_integer({c10::IValue(std::ceil(real(n[0])))}); }}},
  };
  return kOperators;
}

}  // namespace

const ScalarOperator* find_scalar_operator(const std::string& name) {
  const auto found = all().find(name);
  return found == all().end() ? nullptr : &found->second;
}

}  // namespace incremental
