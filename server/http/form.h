#ifndef HAPAX_SERVER_HTTP_FORM_H_
#define HAPAX_SERVER_HTTP_FORM_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hapax {

// Decodes "%41" to "A" in a path or a header (RFC 3986, section 2.1); all other characters stay as they are.
// Errors: INVALID_ARGUMENT, two hexadecimal digits do not follow a "%", or the result is no UTF-8 or has a NUL.
[[nodiscard]] absl::StatusOr<std::string> PercentDecode(std::string_view text);

// All but letters, digits, "-", ".", "_" and "~" become "%41", with upper-case digits.
[[nodiscard]] std::string PercentEncode(std::string_view text);

// The pairs of "name=value&name=value" in their order, decoded: the form of a query, and of a body of type
// application/x-www-form-urlencoded. "+" is a blank. A part without "=" is a name with an empty value; empty parts
// are left out.
// Errors: INVALID_ARGUMENT, as of PercentDecode.
using FormPairs = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] absl::StatusOr<FormPairs> ParseForm(std::string_view text);

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_FORM_H_
