#include "hapax/client/hapaxctl/output/utf8.h"

#include <algorithm>

namespace hapax::ctl {
namespace {

// The bounds of the second byte for a given first byte. They exclude overlong forms, surrogates and too large values.
struct SecondByte {
  unsigned char min = 0x80;
  unsigned char max = 0xBF;
};

SecondByte SecondByteAfter(unsigned char first) {
  switch (first) {
    case 0xE0:
      return {.min = 0xA0};
    case 0xED:
      return {.max = 0x9F};
    case 0xF0:
      return {.min = 0x90};
    case 0xF4:
      return {.max = 0x8F};
    default:
      return {};
  }
}

// Returns 0 for a byte that cannot begin a code point.
size_t LengthByFirstByte(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const size_t length = LengthByFirstByte(first);
    if (length == 0 || length > text.size()) return false;
    for (size_t i = 1; i < length; ++i) {
      const SecondByte bounds = i == 1 ? SecondByteAfter(first) : SecondByte();
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < bounds.min || byte > bounds.max) return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void AppendUtf8(char32_t code_point, std::string& text) {
  const auto tail = [&](int shift) { text.push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F))); };
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    text.push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    tail(0);
  } else if (code_point < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

size_t CodePointLength(std::string_view text) {
  return std::clamp<size_t>(LengthByFirstByte(static_cast<unsigned char>(text[0])), 1, text.size());
}

}  // namespace hapax::ctl
