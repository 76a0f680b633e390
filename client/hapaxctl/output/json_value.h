#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_VALUE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_VALUE_H_

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace hapax::ctl {

struct JsonMember;

// A JSON value, of a parameter or for --query.
//
//   const absl::StatusOr<JsonValue> parsed = ParseJson(R"({"Name": "a"})");
//   const JsonValue* name = parsed->Find("Name");
//
// Thread-safety: like a plain value.
class JsonValue {
 public:
  // A number with its spelling in print.
  struct Number {
    double value = 0;
    std::string text;
  };
  using Array = std::vector<JsonValue>;
  // In the order of the document, with unique names.
  using Object = std::vector<JsonMember>;

  JsonValue();  // null
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();
  template <std::same_as<bool> Bool>
  explicit JsonValue(Bool value) : value_(value) {}
  explicit JsonValue(Number number);
  explicit JsonValue(std::string text);
  explicit JsonValue(Array array);
  explicit JsonValue(Object object);
  // A number, printed without a fraction if it has none.
  [[nodiscard]] static JsonValue OfNumber(double value);

  // The value; null if it has another type.
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const Number* number() const { return std::get_if<Number>(&value_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&value_); }
  [[nodiscard]] bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  // `null`, `boolean`, `number`, `string`, `array` or `object`.
  [[nodiscard]] std::string_view TypeName() const;

  // The member of an object; null if there is none.
  [[nodiscard]] const JsonValue* Find(std::string_view name) const;

  // Compares numbers by value, and objects regardless of order.
  [[nodiscard]] bool operator==(const JsonValue& other) const;

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Parses one JSON document (RFC 8259), strictly.
// Errors: INVALID_ARGUMENT, saying where it stopped and what was expected; also for a name that occurs twice in an
// object, for text that is not UTF-8, and for nesting deeper than 64.
[[nodiscard]] absl::StatusOr<JsonValue> ParseJson(std::string_view text);

// The value on one line.
[[nodiscard]] std::string JsonText(const JsonValue& value);
// The value over several lines, in the layout of ToJson (json.h), without a final newline.
[[nodiscard]] std::string JsonLines(const JsonValue& value);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_JSON_VALUE_H_
