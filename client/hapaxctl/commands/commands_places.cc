#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {

Action BindDescribeSubnets(CLI::App& verb) {
  using Request = compute::v1::DescribeSubnetsRequest;
  return Listing<Request>(verb, [](CLI::App&, Request&) {});
}

Action BindDescribeAvailabilityZones(CLI::App& verb) {
  using Request = compute::v1::DescribeAvailabilityZonesRequest;
  return Listing<Request>(verb, [](CLI::App&, Request&) {});
}

}  // namespace hapax::ctl
