#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {

Action BindAllocateHosts(CLI::App& verb) {
  using Request = compute::v1::AllocateHostsRequest;
  constexpr int32_t kMaxHosts = 1000;
  return Making<Request>(verb, [](CLI::App& app, Request& request) {
    AddText(app, "--availability-zone", *request.mutable_availability_zone(), "Such as eu-west-1a")->required();
    AddText(app, "--instance-type", *request.mutable_instance_type(), "The type they will run")->required();
    AddNumber(
        app, "--quantity", 1, kMaxHosts, [&request](int32_t n) { request.set_quantity(n); },
        "How many; 1 if not given");
    AddChoice(
        app, "--auto-placement", {"on", "off"},
        [&request](const std::string& text) { request.set_auto_placement(text); },
        "Whether instances that name no host may be placed there");
    AddTags(app, "dedicated-host", *request.mutable_tags());
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindReleaseHosts(CLI::App& verb) {
  using Request = compute::v1::ReleaseHostsRequest;
  return Making<Request>(verb, [](CLI::App& app, Request& request) {
    AddTexts(app, "--host-ids", *request.mutable_host_ids(), "Hosts to give back, all of them or none")->required();
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindDescribeHosts(CLI::App& verb) {
  using Request = compute::v1::DescribeHostsRequest;
  return Listing<Request>(verb, [](CLI::App& app, Request& request) {
    AddTexts(app, "--host-ids", *request.mutable_host_ids(), "Only these");
    AddFilters(app, *request.mutable_filters());
  });
}

}  // namespace hapax::ctl
