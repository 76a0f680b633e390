#include "hapax/server/doors/openstack/server_views.h"

#include <map>
#include <vector>

#include "absl/time/time.h"
#include "hapax/base/timestamps.h"

namespace hapax::openstack {
namespace {

using compute::v1::Instance;
using compute::v1::InstanceState;

// Nova's numbers of power states.
constexpr int kNoState = 0;
constexpr int kRunning = 1;
constexpr int kShutDown = 4;

struct NovaState {
  std::string_view status;
  std::string_view vm_state;
  std::string_view task;  // Empty: none.
  int power;
};

NovaState StateOf(const Instance& instance) {
  switch (instance.state()) {
    case InstanceState::INSTANCE_STATE_PENDING:
      return {.status = "BUILD", .vm_state = "building", .task = "spawning", .power = kNoState};
    case InstanceState::INSTANCE_STATE_STOPPING:
      return {.status = "ACTIVE", .vm_state = "active", .task = "powering-off", .power = kRunning};
    case InstanceState::INSTANCE_STATE_STOPPED:
      return {.status = "SHUTOFF", .vm_state = "stopped", .task = "", .power = kShutDown};
    case InstanceState::INSTANCE_STATE_SHUTTING_DOWN:
      // With a reason, it is a launch that failed.
      if (instance.has_state_reason()) {
        return {.status = "ERROR", .vm_state = "error", .task = "deleting", .power = kNoState};
      }
      return {.status = "ACTIVE", .vm_state = "active", .task = "deleting", .power = kRunning};
    case InstanceState::INSTANCE_STATE_TERMINATED:
      return {.status = "DELETED", .vm_state = "deleted", .task = "", .power = kShutDown};
    default:
      return {.status = "ACTIVE", .vm_state = "active", .task = "", .power = kRunning};
  }
}

JsonObject Link(std::string_view rel, const std::string& url) {
  return JsonObject().Text("rel", rel).Text("href", url);
}

std::vector<JsonObject> ServerLinks(const Exchange& exchange, const std::string& id) {
  const std::string base = exchange.BaseUrl();
  return {Link("self", base + "/v2.1/servers/" + id), Link("bookmark", base + "/servers/" + id)};
}

// An image or flavor that a server was made of.
JsonObject Reference(const Exchange& exchange, const std::string& kind, const std::string& id) {
  return JsonObject().Text("id", id).Objects("links", {Link("bookmark", exchange.BaseUrl() + "/" + kind + "/" + id)});
}

std::vector<JsonObject> SecurityGroups() { return {JsonObject().Text("name", "default")}; }

// Sorted, so that the same tags make the same bytes.
std::map<std::string, std::string> SortedTags(const Instance& instance) {
  return {instance.tags().begin(), instance.tags().end()};
}

std::string NameOf(const Instance& instance) {
  const auto name = instance.tags().find(std::string(kNameTag));
  // One that came by another door may have none.
  return name == instance.tags().end() || name->second.empty() ? instance.instance_id() : name->second;
}

JsonObject Metadata(const Instance& instance) {
  JsonObject metadata;
  for (const auto& [name, value] : SortedTags(instance)) {
    if (name != kNameTag) metadata.Text(name, value);
  }
  return metadata;
}

JsonObject Addresses(const Instance& instance) {
  JsonObject addresses;
  if (instance.private_ip_address().empty()) return addresses;
  return addresses.Objects(
      instance.subnet_id(),
      {JsonObject().Text("addr", instance.private_ip_address()).Number("version", 4).Text("OS-EXT-IPS:type", "fixed")});
}

}  // namespace

JsonObject NewServerView(const Exchange& exchange, const std::string& id) {
  return JsonObject()
      .Text("id", id)
      .Objects("links", ServerLinks(exchange, id))
      .Text("OS-DCF:diskConfig", "MANUAL")
      .Objects("security_groups", SecurityGroups());
}

JsonObject ServerSummary(const Exchange& exchange, const Instance& instance) {
  return JsonObject()
      .Text("id", instance.instance_id())
      .Text("name", NameOf(instance))
      .Objects("links", ServerLinks(exchange, instance.instance_id()));
}

JsonObject ServerView(const Exchange& exchange, const Instance& instance) {
  const NovaState state = StateOf(instance);
  const std::string created =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", FromTimestamp(instance.launch_time()), absl::UTCTimeZone());
  JsonObject view = ServerSummary(exchange, instance);
  view.Text("status", state.status)
      .Text("tenant_id", exchange.CallerName())
      .Text("user_id", exchange.CallerName())
      .Text("created", created)
      .Text("updated", created)
      .Text("hostId", instance.host_id())
      .Object("image", Reference(exchange, "images", instance.image_id()))
      .Object("flavor", Reference(exchange, "flavors", instance.instance_type()))
      .Object("addresses", Addresses(instance))
      .Text("accessIPv4", "")
      .Text("accessIPv6", "")
      .Object("metadata", Metadata(instance))
      .Text("config_drive", "")
      .Objects("security_groups", SecurityGroups())
      .Text("OS-DCF:diskConfig", "MANUAL")
      .Text("OS-EXT-AZ:availability_zone", instance.availability_zone())
      .Text("OS-EXT-STS:vm_state", state.vm_state)
      .Number("OS-EXT-STS:power_state", state.power)
      .Objects("os-extended-volumes:volumes_attached", {});
  if (state.status == "ACTIVE" || state.status == "BUILD") view.Number("progress", state.status == "ACTIVE" ? 100 : 0);
  if (state.task.empty()) {
    view.Null("OS-EXT-STS:task_state");
  } else {
    view.Text("OS-EXT-STS:task_state", state.task);
  }
  if (instance.key_name().empty()) {
    view.Null("key_name");
  } else {
    view.Text("key_name", instance.key_name());
  }
  if (instance.has_state_reason()) {
    view.Object(
        "fault",
        JsonObject().Number("code", 500).Text("created", created).Text("message", instance.state_reason().message()));
  }
  return view;
}

}  // namespace hapax::openstack
