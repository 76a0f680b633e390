#ifndef HAPAX_SERVER_DOORS_EC2_ACTIONS_H_
#define HAPAX_SERVER_DOORS_EC2_ACTIONS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/ec2/exchange.h"
#include "hapax/server/doors/ec2/parameters.h"

namespace hapax::ec2 {

// What an action knows besides its parameters.
struct Setting {
  const compute::Catalog& catalog;
  std::string region;  // That the caller speaks to.
};

// Reads an action's parameters, all that it honours, and returns what there is to do.
// Errors: of Parameters and RefuseWith. Nothing was called yet.
using PlanAction = absl::StatusOr<Plan> (*)(Parameters& parameters, const Setting& setting);

struct Action {
  std::string_view name;  // EC2's.
  bool mutates = false;
  PlanAction plan = nullptr;
};

// Null if this door has no such action.
[[nodiscard]] const Action* FindAction(std::string_view name);

// One a file: instances, power, hosts, key pairs, and the catalog.
[[nodiscard]] absl::StatusOr<Plan> PlanRunInstances(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanTerminateInstances(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeInstances(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanStartInstances(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanStopInstances(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanAllocateHosts(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanReleaseHosts(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeHosts(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanCreateKeyPair(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDeleteKeyPair(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeKeyPairs(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeSubnets(Parameters& parameters, const Setting& setting);
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeAvailabilityZones(Parameters& parameters, const Setting& setting);
// There are no addresses, but libcloud asks for them with each list of instances.
[[nodiscard]] absl::StatusOr<Plan> PlanDescribeAddresses(Parameters& parameters, const Setting& setting);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_ACTIONS_H_
