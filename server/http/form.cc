#include "hapax/server/http/form.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/stubs/common.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

int DigitOf(char c) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(c))) return c - '0';
  return absl::ascii_tolower(static_cast<unsigned char>(c)) - 'a' + 10;
}

bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' || c == '~';
}

absl::StatusOr<std::string> Decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2])) {
        return absl::InvalidArgumentError("two hexadecimal digits must follow each \"%\"");
      }
      c = static_cast<char>(DigitOf(text[i + 1]) * 16 + DigitOf(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c == '\0') return absl::InvalidArgumentError("a NUL is not allowed");
    decoded.push_back(c);
  }
  if (!google::protobuf::internal::IsStructurallyValidUTF8(decoded.data(), static_cast<int>(decoded.size()))) {
    return absl::InvalidArgumentError("must be UTF-8");
  }
  return decoded;
}

}  // namespace

absl::StatusOr<std::string> PercentDecode(std::string_view text) { return Decode(text, /*plus_is_blank=*/false); }

std::string PercentEncode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(kDigits[byte >> 4U]);
    encoded.push_back(kDigits[byte & 15U]);
  }
  return encoded;
}

absl::StatusOr<FormPairs> ParseForm(std::string_view text) {
  FormPairs pairs;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), '&')) {
    if (part.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits('=', 1));
    HAPAX_ASSIGN_OR_RETURN(std::string name, Decode({halves.first.data(), halves.first.size()}, true));
    HAPAX_ASSIGN_OR_RETURN(std::string value, Decode({halves.second.data(), halves.second.size()}, true));
    pairs.emplace_back(std::move(name), std::move(value));
  }
  return pairs;
}

}  // namespace hapax
