#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_UTF8_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_UTF8_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace hapax::ctl {

// Whether the text is UTF-8 by protobuf's rules: no surrogates, no overlong forms, nothing above U+10FFFF.
[[nodiscard]] bool IsUtf8(std::string_view text);

// Appends a code point: not a surrogate, and at most U+10FFFF.
void AppendUtf8(char32_t code_point, std::string& text);

// The length in bytes of the code point at the start of `text`, which is UTF-8 and not empty.
[[nodiscard]] size_t CodePointLength(std::string_view text);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_UTF8_H_
