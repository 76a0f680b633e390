#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {

Action BindRunInstances(CLI::App& verb) {
  return Making<compute::v1::RunInstancesRequest>(verb, [](CLI::App& app, compute::v1::RunInstancesRequest& request) {
    AddText(app, "--image-id", *request.mutable_image_id(), "Image, such as ami-b232d0db")->required();
    const auto set_count = [&request](const std::string& text) {
      const absl::StatusOr<CountRange> count = ParseCount(text);
      if (!count.ok()) return count.status();
      request.set_min_count(count->min);
      request.set_max_count(count->max);
      return absl::OkStatus();
    };
    AddValue(app, "--count", "N|MIN:MAX", set_count, "How many; with MIN:MAX as many as fit, and none below MIN");
    AddText(app, "--instance-type", *request.mutable_instance_type(), "Such as m5.large; else the server's default");
    AddText(app, "--key-name", *request.mutable_key_name(), "Key pair of this region");
    AddText(app, "--subnet-id", *request.mutable_subnet_id(), "Subnet, which also says the zone");
    const auto set_placement = [&request](const std::string& text) {
      const absl::StatusOr<compute::v1::Placement> placement = ParsePlacement(text);
      if (placement.ok()) *request.mutable_placement() = *placement;
      return placement.status();
    };
    AddStructure(app, "--placement", "PLACEMENT", set_placement,
                 "\"AvailabilityZone=us-east-1a,Tenancy=host,HostId=h-...\", each of them optional");
    AddTags(app, "instance", *request.mutable_tags());
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindTerminateInstances(CLI::App& verb) {
  using Request = compute::v1::TerminateInstancesRequest;
  return Making<Request>(verb, [](CLI::App& app, Request& request) {
    AddTexts(app, "--instance-ids", *request.mutable_instance_ids(), "Instances to shut down for good")->required();
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindDescribeInstances(CLI::App& verb) {
  using Request = compute::v1::DescribeInstancesRequest;
  return Listing<Request>(verb, [](CLI::App& app, Request& request) {
    AddTexts(app, "--instance-ids", *request.mutable_instance_ids(), "Only these");
    AddText(app, "--client-token", *request.mutable_client_token(), "Only those launched with this token");
    AddFilters(app, *request.mutable_filters());
  });
}

}  // namespace hapax::ctl
