#ifndef HAPAX_SERVER_DOORS_OPENSTACK_LAUNCH_REQUEST_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_LAUNCH_REQUEST_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::openstack {

// What a body of POST /v2.1/servers asks for.
struct LaunchRequest {
  compute::v1::RunInstancesRequest request;  // The name is tag `Name`, the metadata are the other tags.
  bool wants_reservation_id = false;         // In place of the server.
};

// Errors: INVALID_PARAMETER, naming a field that is missing or wrong, or that is not supported. Supported fields that
// change nothing are accepted, such as `"security_groups": [{"name": "default"}]`.
[[nodiscard]] absl::StatusOr<LaunchRequest> ReadLaunchRequest(std::string_view body);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_LAUNCH_REQUEST_H_
