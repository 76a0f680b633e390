// GET /v2.1/servers and /v2.1/servers/detail.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/openstack/query.h"
#include "hapax/server/doors/openstack/server_views.h"
#include "hapax/server/doors/openstack/servers.h"

namespace hapax::openstack {
namespace {

using compute::v1::DescribeInstancesRequest;
using compute::v1::DescribeInstancesResponse;
using compute::v1::Instance;

constexpr int kPageSize = 1000;
// A list is read page by page from the first instance on, whatever the marker.
constexpr int kMaxPages = 100;

struct ServerList {
  DescribeInstancesRequest request;
  PageLimits limits;
  bool with_details = false;
  bool is_empty = false;  // No server matches, whatever there is.
  int pages = 0;
  std::vector<JsonObject> servers;
  std::string last_id;  // Of `servers`.
};

void AddFilter(DescribeInstancesRequest& request, const std::string& name, std::vector<std::string> values) {
  compute::v1::Filter& filter = *request.add_filters();
  filter.set_name(name);
  for (std::string& value : values) filter.add_values(std::move(value));
}

// A value without wildcards.
std::string Literal(std::string_view value) {
  std::string literal;
  for (const char c : value) {
    if (c == '*' || c == '?' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal;
}

// A name may be a part of one, or have the anchors `^` and `$` of a regular expression; more of these are not
// supported.
absl::Status FilterByName(std::string_view name, DescribeInstancesRequest& request) {
  const bool from_begin = name.starts_with('^');
  if (from_begin) name.remove_prefix(1);
  const bool to_end = name.ends_with('$');
  if (to_end) name.remove_suffix(1);
  if (name.find_first_of("*+?[](){}|\\^$") != std::string_view::npos) {
    return RefuseParameter("name", "must be a part of a name, perhaps with ^ before and $ after it");
  }
  AddFilter(request, "tag:" + std::string(kNameTag), {(from_begin ? "" : "*") + Literal(name) + (to_end ? "" : "*")});
  return absl::OkStatus();
}

// False if no server has that status.
bool FilterByStatus(const std::optional<std::string>& status, DescribeInstancesRequest& request) {
  std::vector<std::string> states;
  if (!status.has_value()) {
    states = {"pending", "running", "stopping", "stopped", "shutting-down"};
  } else if (*status == "ACTIVE" || *status == "active") {
    states = {"running", "stopping", "shutting-down"};
  } else if (*status == "BUILD" || *status == "build") {
    states = {"pending"};
  } else if (*status == "SHUTOFF" || *status == "shutoff" || *status == "stopped") {
    states = {"stopped"};
  }
  if (states.empty()) return false;
  AddFilter(request, "instance-state-name", std::move(states));
  return true;
}

absl::StatusOr<ServerList> ReadList(const Exchange& exchange) {
  ServerList list;
  HAPAX_ASSIGN_OR_RETURN(Query query, Query::Parse(exchange.request.query));
  HAPAX_ASSIGN_OR_RETURN(list.limits, TakePageLimits(query));
  DescribeInstancesRequest& request = list.request;
  request.set_region(exchange.region);
  request.set_page_size(kPageSize);
  if (const auto name = query.Take("name")) HAPAX_RETURN_IF_ERROR(FilterByName(*name, request));
  const std::pair<const char*, const char*> equal[] = {{"flavor", "instance-type"},
                                                       {"image", "image-id"},
                                                       {"availability_zone", "availability-zone"},
                                                       {"key_name", "key-name"},
                                                       {"reservation_id", "reservation-id"}};
  for (const auto& [theirs, ours] : equal) {
    if (const auto value = query.Take(theirs)) AddFilter(request, ours, {Literal(*value)});
  }
  list.is_empty = !FilterByStatus(query.Take("status"), request);
  for (const char* name : {"deleted", "all_tenants"}) query.TakeFalse(name);
  HAPAX_RETURN_IF_ERROR(query.Finish());
  return list;
}

// The URL of the next page.
std::string NextUrl(const Exchange& exchange, const ServerList& list);

HttpReply ListReply(const Exchange& exchange, const ServerList& list, bool has_more) {
  JsonObject body;
  body.Objects("servers", list.servers);
  if (has_more) {
    body.Objects("servers_links", {JsonObject().Text("rel", "next").Text("href", NextUrl(exchange, list))});
  }
  return JsonReply(200, body);
}

std::string NextUrl(const Exchange& exchange, const ServerList& list) {
  // The other parameters as they came.
  std::string query;
  for (std::string_view rest = exchange.request.query; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (!part.starts_with("marker=")) query += std::string(part) + "&";
  }
  return exchange.BaseUrl() + (list.with_details ? "/v2.1/servers/detail?" : "/v2.1/servers?") + query +
         "marker=" + list.last_id;
}

// Adds the instances of a page that follow the marker. False once there are enough.
bool AddPage(const Exchange& exchange, const DescribeInstancesResponse& page, ServerList& list) {
  for (const Instance& instance : page.instances()) {
    if (instance.instance_id() <= list.limits.marker) continue;
    if (list.servers.size() == list.limits.limit) return false;
    list.servers.push_back(list.with_details ? ServerView(exchange, instance) : ServerSummary(exchange, instance));
    list.last_id = instance.instance_id();
  }
  return true;
}

void ReadPages(ExchangePtr exchange, ServerList list) {
  const DescribeInstancesRequest request = list.request;
  Exchange::Read<DescribeInstancesResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeInstances", request,
      [list = std::move(list)](ExchangePtr self, const DescribeInstancesResponse& page) mutable {
        const bool has_room = AddPage(*self, page, list);
        if (!has_room || page.next_page_token().empty()) {
          HttpReply reply = ListReply(*self, list, /*has_more=*/!has_room && list.limits.limit > 0);
          return Exchange::Send(std::move(self), std::move(reply));
        }
        if (++list.pages == kMaxPages) {
          return Exchange::Send(std::move(self), RefuseParameter("marker", "is too far in the list; narrow the list"));
        }
        list.request.set_page_token(page.next_page_token());
        ReadPages(std::move(self), std::move(list));
      });
}

}  // namespace

void ListServers(ExchangePtr exchange, bool with_details) {
  absl::StatusOr<ServerList> list = ReadList(*exchange);
  if (!list.ok()) return Exchange::Send(std::move(exchange), list.status());
  list->with_details = with_details;
  if (list->is_empty) {
    return Exchange::Authenticate(std::move(exchange), [](ExchangePtr self) {
      Exchange::Send(std::move(self), JsonReply(200, JsonObject().Objects("servers", {})));
    });
  }
  ReadPages(std::move(exchange), *std::move(list));
}

}  // namespace hapax::openstack
