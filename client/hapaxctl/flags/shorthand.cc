#include "hapax/client/hapaxctl/flags/shorthand.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hapax::ctl {
namespace {

// Deeper than any parameter of the API.
constexpr int kMaxDepth = 8;
constexpr std::string_view kBlanks = " \t\n\r\v\f";

bool IsOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x1C && !IsOneOf(c, kBlanks); }

bool IsKeyCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || IsOneOf(c, "-_.#/:"); }
// Whether an unquoted value may begin with it.
bool BeginsValue(char c) { return static_cast<unsigned char>(c) > ' ' && !IsOneOf(c, "\"',=[{"); }
// Whether it may continue the first value after `Key=`, or a value in a list.
bool ContinuesFirst(char c) { return !IsControl(c) && !IsOneOf(c, "\"',]}"); }
// Whether it may continue a later value of `Key=a,b`, which may turn out to be a key.
bool ContinuesOther(char c) { return !IsControl(c) && !IsOneOf(c, "\"',="); }

// Unicode's blanks beyond ASCII.
constexpr std::array<std::string_view, 22> kWideBlanks = {
    "\x1C",         "\x1D",         "\x1E",         "\x1F",         "\xC2\x85",     "\xC2\xA0",
    "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84",
    "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x81\x9F", "\xE3\x80\x80"};

std::string_view WithoutTrailingBlanks(std::string_view text) {
  while (!text.empty()) {
    size_t blank = IsOneOf(text.back(), kBlanks) ? 1 : 0;
    for (const std::string_view wide : kWideBlanks) {
      if (text.ends_with(wide)) blank = wide.size();
    }
    if (blank == 0) break;
    text.remove_suffix(blank);
  }
  return text;
}

// Each method parses what its name says at the current position. Empty is an error, which is in `status_`.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<JsonValue> Whole() {
    JsonValue::Object whole;
    do {
      std::optional<std::string> key = Key();
      if (!key.has_value()) return status_;
      std::optional<JsonValue> value = ListOrValue();
      if (!value.has_value() || !Add(whole, *std::move(key), *std::move(value))) return status_;
    } while (TakeComma());
    if (!AtEnd()) return Expected("a comma, or the end");
    return JsonValue(std::move(whole));
  }

 private:
  using TextClass = bool (*)(char);

  [[nodiscard]] bool AtEnd() const { return at_ == text_.size(); }
  [[nodiscard]] char Next() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }
  bool TakeComma() {
    SkipBlanks();
    const bool taken = Take(',');
    if (taken) SkipBlanks();
    return taken;
  }

  absl::Status& Expected(std::string_view what) {
    const std::string_view rest = text_.substr(at_, 20);
    status_ = absl::InvalidArgumentError(
        absl::StrCat("expected ", absl::string_view(what.data(), what.size()), " at ",
                     rest.empty() ? "the end" : absl::StrCat("\"", absl::string_view(rest.data(), rest.size()), "\"")));
    return status_;
  }

  bool Add(JsonValue::Object& object, std::string key, JsonValue value) {
    const bool twice =
        std::any_of(object.begin(), object.end(), [&](const auto& member) { return member.name == key; });
    if (twice) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("the key \"", key, "\" is given twice; each of several values is a word of its own"));
      return false;
    }
    object.push_back({std::move(key), std::move(value)});
    return true;
  }

  // `Key =`, with surrounding blanks.
  std::optional<std::string> Key() {
    const size_t begin = at_;
    while (!AtEnd() && IsKeyCharacter(text_[at_])) ++at_;
    std::string key(text_.substr(begin, at_ - begin));
    SkipBlanks();
    if (key.empty() || !Take('=')) {
      at_ = begin;
      Expected("Key=value");
      return std::nullopt;
    }
    SkipBlanks();
    return key;
  }

  // `a`, or `a,b`, or a value in brackets.
  std::optional<JsonValue> ListOrValue() {
    if (Next() == '[' || Next() == '{') return Nested();
    std::optional<JsonValue> first = Text(&ContinuesFirst);
    if (!first.has_value()) return std::nullopt;
    JsonValue::Array list = {*first};
    size_t comma = at_;  // The end of the values so far.
    while (TakeComma()) {
      // After the comma comes another value, unless it is a key.
      std::optional<JsonValue> other;
      if (BeginsValue(Next()) || Next() == '"' || Next() == '\'') other = Text(&ContinuesOther);
      SkipBlanks();
      if (!other.has_value() || (!AtEnd() && Next() != ',')) {
        if (AtEnd()) {
          Expected("a value after the comma (an empty one is '')");
          return std::nullopt;
        }
        at_ = comma;
        break;
      }
      list.push_back(*std::move(other));
      comma = at_;
    }
    return list.size() == 1 ? std::move(first) : JsonValue(std::move(list));
  }

  // A value within brackets or braces.
  std::optional<JsonValue> Value() {
    if (Next() == '[' || Next() == '{') return Nested();
    return Text(&ContinuesFirst);
  }

  std::optional<JsonValue> Nested() {
    if (depth_ == kMaxDepth) {
      Expected("less nesting");
      return std::nullopt;
    }
    ++depth_;
    std::optional<JsonValue> value = Take('{') ? ObjectBody() : ListBody();
    --depth_;
    return value;
  }

  std::optional<JsonValue> ObjectBody() {
    JsonValue::Object object;
    SkipBlanks();
    while (!Take('}')) {
      std::optional<std::string> key = Key();
      if (!key.has_value()) return std::nullopt;
      std::optional<JsonValue> value = Next() == '}' ? JsonValue(std::string()) : Value();
      if (!value.has_value() || !Add(object, *std::move(key), *std::move(value))) return std::nullopt;
      if (TakeComma()) continue;
      if (Next() == '}') continue;
      Expected("a comma or }");
      return std::nullopt;
    }
    return JsonValue(std::move(object));
  }

  std::optional<JsonValue> ListBody() {
    JsonValue::Array list;
    Take('[');
    SkipBlanks();
    while (!Take(']')) {
      std::optional<JsonValue> value = Value();
      if (!value.has_value()) return std::nullopt;
      list.push_back(*std::move(value));
      if (TakeComma()) continue;
      if (Next() == ']') continue;
      Expected("a comma or ]");
      return std::nullopt;
    }
    return JsonValue(std::move(list));
  }

  std::optional<JsonValue> Text(TextClass continues) {
    if (Next() == '\'' || Next() == '"') return Quoted();
    const size_t begin = at_;
    TextClass fits = &BeginsValue;
    while (!AtEnd()) {
      if (text_.substr(at_, 2) == "\\,") {
        at_ += 2;
      } else if (fits(text_[at_])) {
        ++at_;
      } else {
        break;
      }
      fits = continues;
    }
    const std::string_view raw = text_.substr(begin, at_ - begin);
    const std::string text = absl::StrReplaceAll(absl::string_view(raw.data(), raw.size()), {{"\\,", ","}});
    return JsonValue(std::string(WithoutTrailingBlanks(text)));
  }

  // The first quote without a backslash before it. Without one, the last quote: `"C:\"` needs no second backslash.
  [[nodiscard]] size_t ClosingQuote(char quote) const {
    size_t last = std::string_view::npos;
    for (size_t i = text_.find(quote, at_ + 1); i != std::string_view::npos; i = text_.find(quote, i + 1)) {
      last = i;
      if (text_[i - 1] != '\\') break;
    }
    return last;
  }

  std::optional<JsonValue> Quoted() {
    const char quote[] = {Next(), '\0'};
    const size_t end = ClosingQuote(quote[0]);
    if (end == std::string_view::npos) {
      Expected("a closing quote of the text");
      return std::nullopt;
    }
    const std::string_view raw = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    const std::string text =
        absl::StrReplaceAll(absl::string_view(raw.data(), raw.size()), {{absl::StrCat("\\", quote), quote}});
    return JsonValue(absl::StrReplaceAll(text, {{"\\\\", "\\"}}));
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  absl::Status status_;
};

char FirstOf(std::string_view word) {
  const size_t first = word.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? '\0' : word[first];
}

// The elements of a JSON list that is the only word; nullopt if there is no such word.
absl::StatusOr<std::optional<JsonValue::Array>> OnlyJsonList(const std::vector<std::string>& words) {
  if (words.size() != 1 || FirstOf(words[0]) != '[') return std::nullopt;
  const absl::StatusOr<JsonValue> parsed = ParseJson(words[0]);
  if (!parsed.ok()) return parsed.status();
  return *parsed->array();
}

}  // namespace

absl::StatusOr<JsonValue> ParseShorthand(std::string_view text) { return Parser(text).Whole(); }

absl::StatusOr<std::vector<JsonValue>> ParseStructures(const std::vector<std::string>& words) {
  const absl::StatusOr<std::optional<JsonValue::Array>> list = OnlyJsonList(words);
  if (!list.ok()) return list.status();
  if (list->has_value()) return **list;
  std::vector<JsonValue> structures;
  for (const std::string& word : words) {
    absl::StatusOr<JsonValue> structure = FirstOf(word) == '{' ? ParseJson(word) : ParseShorthand(word);
    if (!structure.ok()) return structure.status();
    structures.push_back(*std::move(structure));
  }
  return structures;
}

absl::StatusOr<std::vector<std::string>> ParseTexts(const std::vector<std::string>& words) {
  const absl::StatusOr<std::optional<JsonValue::Array>> list = OnlyJsonList(words);
  if (!list.ok()) return list.status();
  if (!list->has_value()) return words;
  std::vector<std::string> texts;
  for (const JsonValue& element : **list) {
    if (element.text() == nullptr) return absl::InvalidArgumentError("a JSON list here has texts");
    texts.push_back(*element.text());
  }
  return texts;
}

}  // namespace hapax::ctl
