#include "hapax/server/doors/openstack/launch_request.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/server/doors/openstack/json_fields.h"
#include "hapax/server/doors/openstack/server_views.h"

namespace hapax::openstack {
namespace {

using compute::v1::RunInstancesRequest;

constexpr size_t kMaxMetadata = 50;
constexpr size_t kMaxNameBytes = 255;
constexpr char kTokenHint[] = "x-client-token";

// One subnet, by its id, or none: `auto`.
absl::Status ReadNetworks(JsonFields& server, RunInstancesRequest& request) {
  if (server.TakeIfText("networks", "auto")) return absl::OkStatus();
  for (JsonFields& network : server.Objects("networks", /*max=*/1)) {
    request.set_subnet_id(network.RequiredText("uuid"));
    HAPAX_RETURN_IF_ERROR(network.Finish());
  }
  return absl::OkStatus();
}

void ReadTags(JsonFields& server, RunInstancesRequest& request) {
  auto& tags = *request.mutable_tags();
  for (auto& [name, value] : server.Texts("metadata", kMaxMetadata)) {
    if (name == kNameTag) server.Refuse("metadata.Name", "must be left out: `name` is it");
    tags[name] = std::move(value);
  }
  std::string server_name = server.RequiredText("name");
  if (server_name.size() > kMaxNameBytes) server.Refuse("name", "must have at most 255 bytes");
  tags[std::string(kNameTag)] = std::move(server_name);
}

// What is supported with the one value that changes nothing.
absl::Status TakeWhatChangesNothing(JsonFields& server, const std::string& image) {
  for (JsonFields& group : server.Objects("security_groups", /*max=*/1)) {
    if (group.Text("name") != "default") group.Refuse("name", "must be default: there are no other groups");
    HAPAX_RETURN_IF_ERROR(group.Finish());
  }
  if (!server.TakeIfText("config_drive", "") && server.Bool("config_drive")) {
    server.Refuse("config_drive", "must be false");
  }
  if (server.Has("OS-DCF:diskConfig") && server.Text("OS-DCF:diskConfig") != "MANUAL") {
    server.Refuse("OS-DCF:diskConfig", "must be MANUAL");
  }
  for (JsonFields& device : server.Objects("block_device_mapping_v2", /*max=*/1)) {
    const bool is_image = device.Text("uuid") == image && device.Text("source_type") == "image" &&
                          device.Text("destination_type") == "local";
    if (!is_image) device.Refuse("uuid", "must be imageRef, with source_type image and destination_type local");
    device.Take("boot_index");
    if (!device.Bool("delete_on_termination")) device.Refuse("delete_on_termination", "must be true");
    HAPAX_RETURN_IF_ERROR(device.Finish());
  }
  return absl::OkStatus();
}

absl::Status ReadHints(JsonFields& body, std::string_view name, RunInstancesRequest& request) {
  if (!body.Has(name)) {
    body.Take(name);
    return absl::OkStatus();
  }
  JsonFields hints = body.Object(name);
  request.set_client_token(hints.RequiredText(kTokenHint));
  return hints.Finish();
}

}  // namespace

absl::StatusOr<LaunchRequest> ReadLaunchRequest(std::string_view text) {
  HAPAX_ASSIGN_OR_RETURN(JsonFields body, JsonFields::Parse(text));
  LaunchRequest launch;
  RunInstancesRequest& request = launch.request;
  JsonFields server = body.RequiredObject("server");
  request.set_image_id(server.RequiredText("imageRef"));
  request.set_instance_type(server.RequiredText("flavorRef"));
  request.set_key_name(server.Text("key_name"));
  request.set_min_count(server.Count("min_count"));
  request.set_max_count(server.Count("max_count"));
  if (const std::string zone = server.Text("availability_zone"); !zone.empty()) {
    request.mutable_placement()->set_availability_zone(zone);
  }
  ReadTags(server, request);
  HAPAX_RETURN_IF_ERROR(ReadNetworks(server, request));
  HAPAX_RETURN_IF_ERROR(TakeWhatChangesNothing(server, request.image_id()));
  launch.wants_reservation_id = server.Bool("return_reservation_id");
  HAPAX_RETURN_IF_ERROR(server.Finish());
  // Both are the same; only one is given.
  HAPAX_RETURN_IF_ERROR(ReadHints(body, "os:scheduler_hints", request));
  if (request.client_token().empty()) HAPAX_RETURN_IF_ERROR(ReadHints(body, "OS-SCH-HNT:scheduler_hints", request));
  HAPAX_RETURN_IF_ERROR(body.Finish());
  return launch;
}

}  // namespace hapax::openstack
