#ifndef HAPAX_SERVER_DOORS_YANDEX_FILTER_H_
#define HAPAX_SERVER_DOORS_YANDEX_FILTER_H_

#include <string_view>

#include "absl/status/status.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::yandex {

// Adds the conditions of a filter expression, such as `name = "web" AND status IN ("RUNNING", 'STOPPED')`. An empty
// expression has none. Fields are name, status, zone_id, platform_id and host_id; operators are `=` and `IN`.
// Errors: INVALID_PARAMETER, naming `filter`, what is wrong and where.
[[nodiscard]] absl::Status AddFilter(std::string_view expression, compute::v1::DescribeInstancesRequest& request);

// Leaves out terminated instances, which Yandex Cloud does not have.
void LeaveOutTerminated(compute::v1::DescribeInstancesRequest& request);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_FILTER_H_
