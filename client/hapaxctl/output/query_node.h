#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_NODE_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

// The syntax tree of a query.
struct QueryNode {
  enum class Type {
    kCurrent,          // `@`, or nothing.
    kField,            // `text`.
    kLiteral,          // `literal`.
    kIndex,            // `numbers[0]` of a list.
    kSlice,            // `numbers`: start, stop, step of a list.
    kThen,             // The second child, applied to the result of the first.
    kProjection,       // The second child, applied to each element of the first's list.
    kValueProjection,  // The same for each member of an object.
    kFilter,           // The same for each element for which the third child is true.
    kFlatten,          // The child's list, with its inner lists flattened.
    kOr,
    kAnd,
    kNot,
    kComparison,  // `text`: the comparator.
    kList,        // A list of the children.
    kObject,      // An object of the children by `names`.
    kFunction,    // `text`: its name; the children are its arguments.
    kExpression,  // `&child`, which a function evaluates.
  };

  Type type = Type::kCurrent;
  std::string text;
  JsonValue literal;
  std::vector<std::optional<int64_t>> numbers;
  std::vector<std::string> names;
  std::vector<QueryNode> children;
};

// Errors: INVALID_ARGUMENT, saying where it stopped and what was expected.
[[nodiscard]] absl::StatusOr<QueryNode> ParseQuery(std::string_view expression);

// An argument of a function.
struct QueryArgument {
  JsonValue value;
  const QueryNode* expression = nullptr;  // For `&expression`, instead of the value.
};
// Evaluates an expression on a value.
using EvaluateQuery = absl::FunctionRef<absl::StatusOr<JsonValue>(const QueryNode&, const JsonValue&)>;

// Whether a function of this name exists.
[[nodiscard]] bool IsQueryFunction(std::string_view name);
// Errors: INVALID_ARGUMENT, wrong arguments.
[[nodiscard]] absl::StatusOr<JsonValue> CallQueryFunction(const std::string& name,
                                                          const std::vector<QueryArgument>& arguments,
                                                          EvaluateQuery evaluate);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_NODE_H_
