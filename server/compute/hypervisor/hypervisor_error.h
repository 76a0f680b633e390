#ifndef HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_ERROR_H_
#define HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_ERROR_H_

#include <string_view>

#include "absl/status/status.h"
#include "hapax/compute/v1/resources.pb.h"

// A hypervisor's error as the tenant sees it: RESOURCE_EXHAUSTED is a lack of capacity, any other code an internal
// error. The error's text is omitted, since it may name machines and files. `action` is `launch`, `start` or `stop`.
namespace hapax::compute {

// For the instance, in EC2's words.
[[nodiscard]] v1::StateReason StateReasonOf(const absl::Status& error, std::string_view action);

// For the operation: INSUFFICIENT_INSTANCE_CAPACITY or INTERNAL.
[[nodiscard]] absl::Status OperationErrorOf(const absl::Status& error, std::string_view action);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_HYPERVISOR_HYPERVISOR_ERROR_H_
