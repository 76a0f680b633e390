#include "hapax/server/compute/wildcards.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"

namespace hapax::compute {
namespace {

// Above every code point.
constexpr char32_t kAny = 0x110000;
constexpr size_t kAscii = 128;

// Removes and returns the first character of `text`, which is UTF-8 and not empty.
char32_t TakeCharacter(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  size_t length = 1;
  char32_t character = first;
  if (first >= 0xC0) {
    length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    length = std::min(length, text.size());
    character = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i) character = (character << 6) | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  text.remove_prefix(length);
  return character;
}

void AppendCharacter(char32_t character, std::string& text) {
  const auto append = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto append_tail = [&](int shift) { append(0x80 | ((character >> shift) & 0x3F)); };
  if (character < kAscii) return append(character);
  if (character < 0x800) {
    append(0xC0 | (character >> 6));
  } else {
    if (character < 0x10000) {
      append(0xE0 | (character >> 12));
    } else {
      append(0xF0 | (character >> 18));
      append_tail(12);
    }
    append_tail(6);
  }
  append_tail(0);
}

}  // namespace

std::optional<Pattern> Pattern::Of(std::string_view value) {
  Pattern pattern;
  bool after_star = false;
  while (!value.empty()) {
    char32_t character = TakeCharacter(value);
    if (character == '*') {
      after_star = true;
      continue;
    }
    if (character == '\\') {
      if (value.empty() || std::string_view("*?\\").find(value[0]) == std::string_view::npos) return std::nullopt;
      character = TakeCharacter(value);
    } else if (character == '?') {
      character = kAny;
      pattern.is_text_ = false;
    }
    pattern.characters_.push_back(character);
    pattern.stars_.push_back(after_star);
    if (after_star) pattern.is_text_ = false;
    after_star = false;
  }
  pattern.stars_.push_back(after_star);
  if (after_star) pattern.is_text_ = false;
  return pattern;
}

std::string Pattern::Text() const {
  std::string text;
  for (const char32_t character : characters_) AppendCharacter(character, text);
  return text;
}

Wildcards::Wildcards(absl::Span<const Pattern> patterns) {
  size_t positions = 0;
  for (const Pattern& pattern : patterns) positions += pattern.size() + 1;
  const size_t words = (positions + 63) / 64;
  for (Bits* bits : {&starts_, &stars_, &ends_, &any_}) bits->resize(words);
  ascii_.resize(kAscii * words);
  const auto set = [](uint64_t* bits, size_t position) { bits[position / 64] |= uint64_t{1} << (position % 64); };

  size_t begin = 0;
  for (const Pattern& pattern : patterns) {
    set(starts_.data(), begin);
    for (size_t i = 0; i <= pattern.size(); ++i) {
      if (pattern.stars_[i]) set(stars_.data(), begin + i);
      if (i == pattern.size()) break;
      const char32_t character = pattern.characters_[i];
      if (character == kAny) {
        set(any_.data(), begin + i);
      } else if (character < kAscii) {
        set(ascii_.data() + character * words, begin + i);
      } else {
        set(others_.try_emplace(character, words).first->second.data(), begin + i);
      }
    }
    begin += pattern.size() + 1;
    set(ends_.data(), begin - 1);
  }
  // Every character passes a `?`.
  const auto add_any = [&](uint64_t* bits) {
    for (size_t word = 0; word < words; ++word) bits[word] |= any_[word];
  };
  for (size_t character = 0; character < kAscii; ++character) add_any(ascii_.data() + character * words);
  for (auto& [character, bits] : others_) add_any(bits.data());
}

const uint64_t* Wildcards::PassedBy(char32_t character) const {
  if (character < kAscii) return ascii_.data() + character * starts_.size();
  const auto found = others_.find(character);
  return found == others_.end() ? any_.data() : found->second.data();
}

bool Wildcards::Match(std::string_view text) const {
  const size_t words = starts_.size();
  absl::InlinedVector<uint64_t, 16> reached(starts_.begin(), starts_.end());
  while (!text.empty()) {
    const uint64_t* const passed_by = PassedBy(TakeCharacter(text));
    uint64_t carry = 0;
    uint64_t any_reached = 0;
    for (size_t word = 0; word < words; ++word) {
      const uint64_t passed = reached[word] & passed_by[word];
      reached[word] = (reached[word] & stars_[word]) | (passed << 1) | carry;
      carry = passed >> 63;
      any_reached |= reached[word];
    }
    if (any_reached == 0) return false;
  }
  for (size_t word = 0; word < words; ++word) {
    if ((reached[word] & ends_[word]) != 0) return true;
  }
  return false;
}

}  // namespace hapax::compute
