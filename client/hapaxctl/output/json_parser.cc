#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/output/json_value.h"
#include "hapax/client/hapaxctl/output/utf8.h"

namespace hapax::ctl {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::string_view kBlanks = " \t\n\r";

// Each method parses what its name says at the current position. A failed one leaves its error in `status_`.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<JsonValue> Document() {
    JsonValue value = Value();
    SkipBlanks();
    if (status_.ok() && at_ < text_.size()) Expected("the end");
    if (!status_.ok()) return status_;
    return value;
  }

 private:
  void Expected(std::string_view what) {
    if (!status_.ok()) return;
    const std::string_view rest = text_.substr(at_, 20);
    status_ = absl::InvalidArgumentError(
        absl::StrCat("JSON: expected ", absl::string_view(what.data(), what.size()), " at ",
                     rest.empty() ? "the end" : absl::StrCat("\"", absl::string_view(rest.data(), rest.size()), "\"")));
  }
  void Wrong(const std::string& message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat("JSON: ", message));
  }

  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }
  [[nodiscard]] char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  JsonValue Value() {
    SkipBlanks();
    if (Next() == '{' || Next() == '[') return Nested();
    if (Next() == '"') return JsonValue(String());
    if (Next() == '-' || absl::ascii_isdigit(static_cast<unsigned char>(Next()))) return Number();
    if (TakeWord("true")) return JsonValue(true);
    if (TakeWord("false")) return JsonValue(false);
    if (!TakeWord("null")) Expected("a value");
    return {};
  }

  JsonValue Nested() {
    if (depth_ == kMaxDepth) {
      Expected("less nesting");
      return {};
    }
    ++depth_;
    JsonValue value = Next() == '{' ? JsonValue(ObjectBody()) : JsonValue(ArrayBody());
    --depth_;
    return value;
  }

  JsonValue::Array ArrayBody() {
    JsonValue::Array array;
    Take('[');
    SkipBlanks();
    if (Take(']')) return array;
    do {
      array.push_back(Value());
      SkipBlanks();
    } while (status_.ok() && Take(','));
    if (!Take(']')) Expected("a comma or ]");
    return array;
  }

  JsonValue::Object ObjectBody() {
    JsonValue::Object object;
    absl::flat_hash_set<std::string> names;
    Take('{');
    SkipBlanks();
    if (Take('}')) return object;
    do {
      SkipBlanks();
      JsonMember member;
      if (Next() == '"') {
        member.name = String();
      } else {
        Expected("a name in double quotes");
      }
      if (!names.insert(member.name).second) Wrong(absl::StrCat("\"", member.name, "\" is given twice"));
      SkipBlanks();
      if (!Take(':')) Expected("a colon");
      member.value = Value();
      object.push_back(std::move(member));
      SkipBlanks();
    } while (status_.ok() && Take(','));
    if (!Take('}')) Expected("a comma or }");
    return object;
  }

  std::string String() {
    std::string string;
    Take('"');
    while (status_.ok() && !Take('"')) {
      const auto c = static_cast<unsigned char>(Next());
      if (at_ == text_.size() || c < 0x20) {
        Expected("the closing quote");
      } else if (Take('\\')) {
        Escape(string);
      } else {
        string.push_back(text_[at_++]);
      }
    }
    return string;
  }

  void Escape(std::string& string) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const size_t letter = at_ < text_.size() ? kLetters.find(Next()) : std::string_view::npos;
    if (letter != std::string_view::npos) {
      ++at_;
      string.push_back(kMeanings[letter]);
      return;
    }
    char32_t code_point = CodeUnit();
    const bool is_high = code_point >= 0xD800 && code_point < 0xDC00;
    if (is_high && TakeWord("\\")) {
      const char32_t low = CodeUnit();
      code_point = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00) : 0xDC00;
    }
    if (code_point >= 0xD800 && code_point < 0xE000) Wrong("half a surrogate pair in a text");
    if (status_.ok()) AppendUtf8(code_point, string);
  }

  // `uXXXX`.
  char32_t CodeUnit() {
    uint32_t unit = 0;
    const std::string digits(text_.substr(std::min(at_ + 1, text_.size()), 4));
    const bool good = Next() == 'u' && digits.size() == 4 &&
                      digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos &&
                      absl::SimpleHexAtoi(digits, &unit);
    if (!good) {
      Expected("an escape that JSON has");
      return 0;
    }
    at_ += 5;
    return unit;
  }

  void Digits() {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(Next()))) Expected("a digit");
    while (absl::ascii_isdigit(static_cast<unsigned char>(Next()))) ++at_;
  }

  JsonValue Number() {
    const size_t begin = at_;
    Take('-');
    if (!Take('0')) Digits();
    if (Take('.')) Digits();
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      Digits();
    }
    JsonValue::Number number{.text = std::string(text_.substr(begin, at_ - begin))};
    const bool good = absl::SimpleAtod(number.text, &number.value) && std::isfinite(number.value);
    if (!good) Wrong("a number is too large");
    return JsonValue(std::move(number));
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<JsonValue> ParseJson(std::string_view text) {
  if (!IsUtf8(text)) return absl::InvalidArgumentError("JSON: must be UTF-8");
  return Parser(text).Document();
}

}  // namespace hapax::ctl
