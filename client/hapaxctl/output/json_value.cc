#include "hapax/client/hapaxctl/output/json_value.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hapax::ctl {
namespace {

// Up to this value every integer is a double.
constexpr double kMaxExactInteger = 9007199254740992.0;

void AppendQuoted(std::string_view text, std::string& json) {
  json.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json.push_back('\\');
      json.push_back(c);
    } else if (c == '\n') {
      json.append("\\n");
    } else if (c == '\t') {
      json.append("\\t");
    } else if (c == '\r') {
      json.append("\\r");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      json.push_back(c);
    }
  }
  json.push_back('"');
}

class Printer {
 public:
  explicit Printer(bool lines) : lines_(lines) {}

  void Print(const JsonValue& value) {
    if (const auto* array = value.array()) {
      PrintList('[', *array, ']', [this](const JsonValue& element) { Print(element); });
    } else if (const auto* object = value.object()) {
      PrintList('{', *object, '}', [this](const JsonMember& member) {
        AppendQuoted(member.name, json_);
        json_.append(lines_ ? ": " : ":");
        Print(member.value);
      });
    } else if (const auto* text = value.text()) {
      AppendQuoted(*text, json_);
    } else if (const auto* number = value.number()) {
      json_.append(number->text);
    } else if (const bool* boolean = value.boolean()) {
      json_.append(*boolean ? "true" : "false");
    } else {
      json_.append("null");
    }
  }
  [[nodiscard]] std::string Take() { return std::move(json_); }

 private:
  template <typename List, typename PrintPart>
  void PrintList(char open, const List& list, char close, const PrintPart& print_part) {
    json_.push_back(open);
    depth_ += 1;
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) json_.push_back(',');
      NewLine();
      print_part(list[i]);
    }
    depth_ -= 1;
    if (!list.empty()) NewLine();
    json_.push_back(close);
  }
  void NewLine() {
    if (lines_) json_.append("\n").append(depth_, ' ');
  }

  const bool lines_;
  size_t depth_ = 0;
  std::string json_;
};

std::string Printed(const JsonValue& value, bool lines) {
  Printer printer(lines);
  printer.Print(value);
  return printer.Take();
}

bool SameMembers(const JsonValue::Object& one, const JsonValue& other) {
  return std::all_of(one.begin(), one.end(), [&](const JsonMember& member) {
    const JsonValue* const theirs = other.Find(member.name);
    return theirs != nullptr && member.value == *theirs;
  });
}

}  // namespace

// Defined here, where JsonMember is a complete type.
JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(Number number) : value_(std::move(number)) {}
JsonValue::JsonValue(std::string text) : value_(std::move(text)) {}
JsonValue::JsonValue(Array array) : value_(std::move(array)) {}
JsonValue::JsonValue(Object object) : value_(std::move(object)) {}

JsonValue JsonValue::OfNumber(double value) {
  const bool integer = std::floor(value) == value && std::abs(value) <= kMaxExactInteger;
  if (integer) return JsonValue(Number{.value = value, .text = absl::StrCat(static_cast<int64_t>(value))});
  std::string text = absl::StrFormat("%.15g", value);
  double read_back = 0;
  if (!absl::SimpleAtod(text, &read_back) || read_back != value) text = absl::StrFormat("%.17g", value);
  return JsonValue(Number{.value = value, .text = std::move(text)});
}

std::string_view JsonValue::TypeName() const {
  constexpr std::string_view kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[value_.index()];
}

const JsonValue* JsonValue::Find(std::string_view name) const {
  if (object() == nullptr) return nullptr;
  const auto found =
      std::find_if(object()->begin(), object()->end(), [&](const JsonMember& member) { return member.name == name; });
  return found == object()->end() ? nullptr : &found->value;
}

bool JsonValue::operator==(const JsonValue& other) const {
  if (value_.index() != other.value_.index()) return false;
  if (const bool* own = boolean()) return *own == *other.boolean();
  if (const Number* own = number()) return own->value == other.number()->value;
  if (const std::string* own = text()) return *own == *other.text();
  if (const Array* own = array()) return *own == *other.array();
  if (const Object* own = object()) return own->size() == other.object()->size() && SameMembers(*own, other);
  return true;
}

std::string JsonText(const JsonValue& value) { return Printed(value, false); }
std::string JsonLines(const JsonValue& value) { return Printed(value, true); }

}  // namespace hapax::ctl
