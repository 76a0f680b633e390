#include "hapax/server/doors/ec2/actions.h"

#include <algorithm>
#include <array>

namespace hapax::ec2 {
namespace {

constexpr std::array kActions = {
    Action{"RunInstances", true, PlanRunInstances},
    Action{"TerminateInstances", true, PlanTerminateInstances},
    Action{"StartInstances", true, PlanStartInstances},
    Action{"StopInstances", true, PlanStopInstances},
    Action{"AllocateHosts", true, PlanAllocateHosts},
    Action{"ReleaseHosts", true, PlanReleaseHosts},
    Action{"CreateKeyPair", true, PlanCreateKeyPair},
    Action{"DeleteKeyPair", true, PlanDeleteKeyPair},
    Action{"DescribeInstances", false, PlanDescribeInstances},
    Action{"DescribeHosts", false, PlanDescribeHosts},
    Action{"DescribeKeyPairs", false, PlanDescribeKeyPairs},
    Action{"DescribeSubnets", false, PlanDescribeSubnets},
    Action{"DescribeAvailabilityZones", false, PlanDescribeAvailabilityZones},
    Action{"DescribeAddresses", false, PlanDescribeAddresses},
};

}  // namespace

const Action* FindAction(std::string_view name) {
  const auto* const found =
      std::find_if(kActions.begin(), kActions.end(), [name](const Action& action) { return action.name == name; });
  return found == kActions.end() ? nullptr : found;
}

}  // namespace hapax::ec2
