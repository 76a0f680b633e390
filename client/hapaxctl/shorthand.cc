#include "hapax/client/hapaxctl/shorthand.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hapax::ctl {
namespace {

using Kind = ShorthandValue::Kind;

// Deeper than any parameter of the API.
constexpr int kMaxDepth = 8;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<ShorthandValue> Whole() {
    ShorthandValue whole{.kind = Kind::kStructure};
    if (absl::Status status = Members(whole); !status.ok()) return status;
    if (!AtEnd()) return Expected("a comma, or the end");
    return whole;
  }

 private:
  [[nodiscard]] bool AtEnd() const { return at_ == text_.size(); }
  [[nodiscard]] char Next() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] absl::Status Expected(std::string_view what) const {
    const std::string_view rest = text_.substr(at_, 20);
    return absl::InvalidArgumentError(absl::StrCat("expected ", absl::string_view(what.data(), what.size()), " at ",
                                                   rest.empty() ? "the end" : "\"" + std::string(rest) + "\""));
  }

  // Whether `Key=` comes there, rather than another value of a list without brackets.
  [[nodiscard]] bool IsKey(size_t at) const {
    const size_t end = text_.find_first_of("=,[]{}'\"", at);
    return end != std::string_view::npos && text_[end] == '=' && end > at;
  }

  absl::Status Members(ShorthandValue& structure) {
    do {
      if (!IsKey(at_)) return Expected("Key=value");
      const size_t end = text_.find('=', at_);
      ShorthandValue member{.key = std::string(text_.substr(at_, end - at_))};
      at_ = end + 1;
      if (absl::Status status = Value(member); !status.ok()) return status;
      if (absl::Status status = MoreValues(member); !status.ok()) return status;
      structure.parts.push_back(std::move(member));
    } while (Take(','));
    return absl::OkStatus();
  }

  // `Values=a,b`: what follows a comma and is no key is another value.
  absl::Status MoreValues(ShorthandValue& member) {
    if (member.kind != Kind::kText || Next() != ',' || IsKey(at_ + 1)) return absl::OkStatus();
    member.parts.push_back({.text = std::exchange(member.text, "")});
    member.kind = Kind::kList;
    while (Next() == ',' && !IsKey(at_ + 1)) {
      ++at_;
      if (absl::Status status = Value(member.parts.emplace_back()); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Value(ShorthandValue& value) {
    if (Next() == '\'' || Next() == '"') return Quoted(value.text);
    if (Next() == '[' || Next() == '{') return Nested(value);
    const size_t end = std::min(text_.find_first_of(",]}", at_), text_.size());
    value.text = std::string(text_.substr(at_, end - at_));
    at_ = end;
    return absl::OkStatus();
  }

  absl::Status Nested(ShorthandValue& value) {
    if (++depth_ > kMaxDepth) return Expected("less nesting");
    absl::Status status = Take('{') ? StructureBody(value) : ListBody(value);
    --depth_;
    return status;
  }

  absl::Status StructureBody(ShorthandValue& value) {
    value.kind = Kind::kStructure;
    if (Take('}')) return absl::OkStatus();
    if (absl::Status status = Members(value); !status.ok()) return status;
    return Take('}') ? absl::OkStatus() : Expected("a comma or }");
  }

  absl::Status ListBody(ShorthandValue& value) {
    value.kind = Kind::kList;
    ++at_;  // The bracket.
    if (Take(']')) return absl::OkStatus();
    do {
      if (absl::Status status = Value(value.parts.emplace_back()); !status.ok()) return status;
    } while (Take(','));
    return Take(']') ? absl::OkStatus() : Expected("a comma or ]");
  }

  absl::Status Quoted(std::string& text) {
    const char quote = text_[at_++];
    while (!AtEnd() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      text.push_back(text_[at_++]);
    }
    return Take(quote) ? absl::OkStatus() : Expected("the closing quote");
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> ShorthandValue::Texts() const {
  if (kind == Kind::kText) return {text};
  std::vector<std::string> texts;
  for (const ShorthandValue& part : parts) {
    if (kind != Kind::kList || part.kind != Kind::kText) return {};
    texts.push_back(part.text);
  }
  return texts;
}

absl::StatusOr<ShorthandValue> ParseShorthand(std::string_view text) { return Parser(text).Whole(); }

}  // namespace hapax::ctl
