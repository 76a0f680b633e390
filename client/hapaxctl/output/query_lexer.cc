#include "hapax/client/hapaxctl/output/query_lexer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hapax::ctl {
namespace {

using Type = QueryToken::Type;

// Longer symbols come before their prefixes.
constexpr std::string_view kSymbols[] = {"[]", "[?", "||", "&&", "==", "!=", "<=", ">=", ".", "*", "]", "[",
                                         ",",  ":",  "@",  "(",  ")",  "{",  "}",  "|",  "&", "!", "<", ">"};

bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<QueryToken>> Read() {
    std::vector<QueryToken> tokens;
    while (true) {
      at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
      token_ = {.at = at_};
      if (at_ < text_.size()) {
        if (absl::Status status = ReadToken(text_[at_]); !status.ok()) return status;
      }
      tokens.push_back(token_);
      if (token_.type == Type::kEnd) return tokens;
    }
  }

 private:
  absl::Status ReadToken(char first) {
    if (IsNameStart(first)) return ReadName();
    if (IsDigit(first) || first == '-') return ReadNumber();
    if (first == '\'' || first == '"' || first == '`') return ReadQuoted(first);
    for (const std::string_view symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      token_.type = Type::kSymbol;
      token_.text = std::string(symbol);
      at_ += symbol.size();
      return absl::OkStatus();
    }
    return WrongQuery(text_, at_, "a name, a value or a symbol of JMESPath");
  }

  absl::Status ReadName() {
    while (at_ < text_.size() && (IsNameStart(text_[at_]) || IsDigit(text_[at_]))) token_.text.push_back(text_[at_++]);
    token_.type = Type::kName;
    return absl::OkStatus();
  }

  absl::Status ReadNumber() {
    std::string digits(1, text_[at_++]);
    while (at_ < text_.size() && IsDigit(text_[at_])) digits.push_back(text_[at_++]);
    token_.type = Type::kNumber;
    return absl::SimpleAtoi(digits, &token_.number) ? absl::OkStatus() : WrongQuery(text_, token_.at, "a number");
  }

  // Reads up to the same quote without a backslash before it.
  absl::Status ReadQuoted(char quote) {
    std::string raw;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      const bool escapes = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (escapes) raw.push_back(text_[at_++]);
      raw.push_back(text_[at_]);
    }
    if (at_ == text_.size()) return WrongQuery(text_, token_.at, "a text with a closing quote");
    ++at_;
    token_.type = quote == '"' ? Type::kQuotedName : Type::kLiteral;
    if (quote == '\'') {
      token_.literal = JsonValue(absl::StrReplaceAll(raw, {{"\\'", "'"}}));
      return absl::OkStatus();
    }
    return quote == '"' ? TakeName(raw) : TakeLiteral(absl::StrReplaceAll(raw, {{"\\`", "`"}}));
  }

  absl::Status TakeName(const std::string& raw) {
    const absl::StatusOr<JsonValue> name = ParseJson(absl::StrCat("\"", raw, "\""));
    if (!name.ok()) return WrongQuery(text_, token_.at, "a name in JSON's quotes");
    token_.text = *name->text();
    return absl::OkStatus();
  }

  // Text that is not JSON is a string without quotes.
  absl::Status TakeLiteral(const std::string& raw) {
    absl::StatusOr<JsonValue> value = ParseJson(raw);
    if (!value.ok()) value = ParseJson(absl::StrCat("\"", absl::StripLeadingAsciiWhitespace(raw), "\""));
    if (!value.ok()) return WrongQuery(text_, token_.at, "JSON in backticks");
    token_.literal = *std::move(value);
    return absl::OkStatus();
  }

  const std::string_view text_;
  size_t at_ = 0;
  QueryToken token_;
};

}  // namespace

absl::StatusOr<std::vector<QueryToken>> QueryTokens(std::string_view expression) { return Lexer(expression).Read(); }

absl::Status WrongQuery(std::string_view expression, size_t at, std::string_view expected) {
  const std::string rest(expression.substr(at, 20));
  return absl::InvalidArgumentError(absl::StrCat("expected ", absl::string_view(expected.data(), expected.size()),
                                                 " at ", rest.empty() ? "the end" : absl::StrCat("\"", rest, "\"")));
}

}  // namespace hapax::ctl
