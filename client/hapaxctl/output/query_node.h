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

// The tree of a query, between its parser and what evaluates it.
struct QueryNode {
  enum class Type {
    kCurrent,          // `@`, or nothing.
    kField,            // `text`.
    kLiteral,          // `literal`.
    kIndex,            // `numbers[0]` of a list.
    kSlice,            // `numbers`: start, stop, step of a list.
    kThen,             // The second child of what the first gives.
    kProjection,       // The second child of each element of the list that the first gives.
    kValueProjection,  // Likewise of each member of an object.
    kFilter,           // Likewise of each element for which the third child is true.
    kFlatten,          // The list that the child gives, with its lists opened.
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
  const QueryNode* expression = nullptr;  // Of `&expression`, instead.
};
// Evaluates an expression on a value.
using EvaluateQuery = absl::FunctionRef<absl::StatusOr<JsonValue>(const QueryNode&, const JsonValue&)>;

// Whether there is such a function.
[[nodiscard]] bool IsQueryFunction(std::string_view name);
// Errors: INVALID_ARGUMENT for arguments that it does not take.
[[nodiscard]] absl::StatusOr<JsonValue> CallQueryFunction(const std::string& name,
                                                          const std::vector<QueryArgument>& arguments,
                                                          EvaluateQuery evaluate);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_NODE_H_
