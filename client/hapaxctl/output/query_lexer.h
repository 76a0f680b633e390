#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_LEXER_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// A token of a query.
struct QueryToken {
  enum class Type {
    kEnd,
    kName,        // `text`.
    kQuotedName,  // "text".
    kLiteral,     // 'raw', or JSON in backticks: in `literal`.
    kNumber,      // In `number`.
    kSymbol,      // `text`, such as `[?` or `==`.
  };
  Type type = Type::kEnd;
  std::string text;
  JsonValue literal;
  int64_t number = 0;
  size_t at = 0;  // Its position.
};

// The tokens of a query, kEnd last. Errors: INVALID_ARGUMENT, saying where it stopped.
[[nodiscard]] absl::StatusOr<std::vector<QueryToken>> QueryTokens(std::string_view expression);

// The error for the token at this position.
[[nodiscard]] absl::Status WrongQuery(std::string_view expression, size_t at, std::string_view expected);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_LEXER_H_
