#ifndef HAPAX_SERVER_DOORS_YANDEX_LAUNCH_H_
#define HAPAX_SERVER_DOORS_YANDEX_LAUNCH_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/compute/catalog/catalog.h"

namespace hapax::yandex {

// Reads a yandex.cloud.compute.v1.CreateInstanceRequest: the launch of one instance. Both counts are left unset, which
// means 1. The name is the tag `Name`, labels are the other tags. Errors: INVALID_PARAMETER, naming a field that is
// missing, wrong, or not supported. What the chain and the service check is not checked here.
[[nodiscard]] absl::StatusOr<compute::v1::RunInstancesRequest> ReadLaunch(std::string_view bytes,
                                                                          const compute::Catalog& catalog);

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_LAUNCH_H_
