#ifndef HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_H_
#define HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {

struct QueryNode;

// A JMESPath expression (jmespath.org), with all functions.
//
//   const absl::StatusOr<Query> query = Query::Of("instances[?state=='INSTANCE_STATE_RUNNING'].instanceId");
//   const absl::StatusOr<JsonValue> found = query->Search(reply);
//
// As in the AWS CLI, backticks may contain unquoted text, and < and the like also compare texts.
//
// Thread-safety: immutable.
class Query {
 public:
  // Errors: INVALID_ARGUMENT, saying where it stopped and what was expected.
  [[nodiscard]] static absl::StatusOr<Query> Of(std::string_view expression);

  // The result of the expression on the value; null for missing parts.
  // Errors: INVALID_ARGUMENT, wrong arguments of a function.
  [[nodiscard]] absl::StatusOr<JsonValue> Search(const JsonValue& value) const;

 private:
  explicit Query(std::shared_ptr<const QueryNode> root) : root_(std::move(root)) {}

  std::shared_ptr<const QueryNode> root_;
};

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_OUTPUT_QUERY_H_
