#ifndef HAPAX_SERVER_DOORS_OPENSTACK_QUERY_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_QUERY_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hapax::openstack {

// The parameters of a URL's query, taken by name. One that is given with an empty value counts as missing.
// Errors: INVALID_PARAMETER, naming the parameter.
class Query {
 public:
  // Errors: also for a parameter that is given twice, and more than 50.
  [[nodiscard]] static absl::StatusOr<Query> Parse(std::string_view text);

  [[nodiscard]] std::optional<std::string> Take(std::string_view name);
  // Takes a parameter if it has one of the values that change nothing.
  void TakeFalse(std::string_view name);
  // Names a parameter that was not taken.
  [[nodiscard]] absl::Status Finish() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The parameters `limit` and `marker` of a list: at most `limit` items, that follow the marker.
struct PageLimits {
  static constexpr size_t kMax = 1000;

  size_t limit = kMax;
  std::string marker;
};
// Errors: INVALID_PARAMETER, the limit is no number from 0 on. One above kMax is kMax.
[[nodiscard]] absl::StatusOr<PageLimits> TakePageLimits(Query& query);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_QUERY_H_
