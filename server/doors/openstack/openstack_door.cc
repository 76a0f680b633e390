#include "hapax/server/doors/openstack/openstack_door.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/server/doors/openstack/catalog_views.h"
#include "hapax/server/doors/openstack/identity.h"
#include "hapax/server/doors/openstack/key_pairs.h"
#include "hapax/server/doors/openstack/servers.h"
#include "hapax/server/http/form.h"

namespace hapax::openstack {
namespace {

using Segments = std::vector<std::string>;

// One more than any path that is served has.
constexpr size_t kMaxSegments = 7;

// The parts of a path, decoded. A slash at the end makes no difference.
absl::StatusOr<Segments> SegmentsOf(std::string_view path) {
  Segments segments;
  while (!path.empty() && segments.size() < kMaxSegments) {
    path.remove_prefix(1);
    const size_t length = std::min(path.find('/'), path.size());
    HAPAX_ASSIGN_OR_RETURN(std::string segment, PercentDecode(path.substr(0, length)));
    path.remove_prefix(length);
    if (!segment.empty() || !path.empty()) segments.push_back(std::move(segment));
  }
  return segments;
}

// Handlers without and with the name that the path ends with, or has before its last part.
using Handler = void (*)(ExchangePtr exchange, const std::string& name);

// "*" matches any name.
struct Route {
  std::string_view method;
  std::array<std::string_view, 4> path;
  Handler handler;
};

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", {"v3"}, [](ExchangePtr exchange, const std::string&) { ShowIdentityVersion(std::move(exchange)); }},
    {"POST", {"v3", "auth", "tokens"}, [](ExchangePtr exchange, const std::string&) { LogIn(std::move(exchange)); }},
    {"GET", {"image"}, [](ExchangePtr exchange, const std::string&) { ShowImageVersions(std::move(exchange)); }},
    {"GET",
     {"image", "v2", "images"},
     [](ExchangePtr exchange, const std::string&) { ListImages(std::move(exchange)); }},
    {"GET", {"image", "v2", "images", "*"}, ShowImage},
    {"GET", {"v2.1"}, [](ExchangePtr exchange, const std::string&) { ShowComputeVersion(std::move(exchange)); }},
    {"GET",
     {"v2.1", "flavors"},
     [](ExchangePtr exchange, const std::string&) { ListFlavors(std::move(exchange), false); }},
    {"GET",
     {"v2.1", "flavors", "detail"},
     [](ExchangePtr exchange, const std::string&) { ListFlavors(std::move(exchange), true); }},
    {"GET", {"v2.1", "flavors", "*"}, ShowFlavor},
    {"GET", {"v2.1", "flavors", "*", "os-extra_specs"}, ShowExtraSpecs},
    {"GET",
     {"v2.1", "os-availability-zone"},
     [](ExchangePtr exchange, const std::string&) { ListZones(std::move(exchange)); }},
    {"GET",
     {"v2.1", "os-availability-zone", "detail"},
     [](ExchangePtr exchange, const std::string&) { ListZones(std::move(exchange)); }},
    {"GET",
     {"v2.1", "servers"},
     [](ExchangePtr exchange, const std::string&) { ListServers(std::move(exchange), false); }},
    {"POST", {"v2.1", "servers"}, [](ExchangePtr exchange, const std::string&) { CreateServers(std::move(exchange)); }},
    {"GET",
     {"v2.1", "servers", "detail"},
     [](ExchangePtr exchange, const std::string&) { ListServers(std::move(exchange), true); }},
    {"GET", {"v2.1", "servers", "*"}, ShowServer},
    {"DELETE", {"v2.1", "servers", "*"}, DeleteServer},
    {"POST", {"v2.1", "servers", "*", "action"}, ActOnServer},
    {"GET",
     {"v2.1", "os-keypairs"},
     [](ExchangePtr exchange, const std::string&) { ListKeyPairs(std::move(exchange)); }},
    {"POST",
     {"v2.1", "os-keypairs"},
     [](ExchangePtr exchange, const std::string&) { CreateKeyPair(std::move(exchange)); }},
    {"GET", {"v2.1", "os-keypairs", "*"}, ShowKeyPair},
    {"DELETE", {"v2.1", "os-keypairs", "*"}, DeleteKeyPair},
});

bool Matches(const Route& route, const Segments& path, std::string& name) {
  const auto end = std::find(route.path.begin(), route.path.end(), std::string_view());
  if (static_cast<size_t>(end - route.path.begin()) != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    if (route.path[i] == "*") {
      name = path[i];
    } else if (route.path[i] != path[i]) {
      return false;
    }
  }
  return true;
}

void Answer(ExchangePtr exchange, const Segments& path) {
  bool is_path = false;
  for (const Route& route : kRoutes) {
    std::string name;
    if (!Matches(route, path, name)) continue;
    if (route.method == exchange->request.method) return route.handler(std::move(exchange), name);
    is_path = true;
  }
  Exchange::Send(std::move(exchange), is_path ? ErrorReply(405, "The method is not supported at this path.")
                                              : ErrorReply(404, "The resource could not be found."));
}

// Whether a client of Nova accepts the one version that is served.
bool AcceptsVersion(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    std::string_view version = value;
    if (name == "openstack-api-version") {
      constexpr std::string_view kService = "compute ";
      if (!version.starts_with(kService)) continue;
      version.remove_prefix(kService.size());
    } else if (name != "x-openstack-nova-api-version") {
      continue;
    }
    if (version != kMicroversion && version != "latest") return false;
  }
  return true;
}

bool IsBelow(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

}  // namespace

bool OpenStackDoor::IsFor(const HttpRequest& request) const {
  constexpr std::string_view kTops[] = {"/v3", "/v2.1", "/image", "/regions"};
  return std::any_of(std::begin(kTops), std::end(kTops),
                     [&request](std::string_view top) { return IsBelow(request.path, top); });
}

void OpenStackDoor::Serve(const HttpRequest& request, DoorCalls& calls, Done done) const {
  auto exchange = std::make_unique<Exchange>(request, calls, options_, std::move(done));
  absl::StatusOr<Segments> path = SegmentsOf(request.path);
  if (!path.ok()) return Exchange::Send(std::move(exchange), ErrorReply(400, std::string(path.status().message())));
  if (path->size() > 1 && path->front() == "regions") {
    exchange->region = (*path)[1];
    if (!options_.catalog.HasRegion(exchange->region)) {
      return Exchange::Send(std::move(exchange), ErrorReply(404, "The region could not be found."));
    }
    path->erase(path->begin(), path->begin() + 2);
  }
  if (const auto token = request.Header("x-auth-token"); token.has_value()) {
    exchange->token = std::string(*token);
    exchange->has_token = true;
  }
  if (!AcceptsVersion(request)) {
    return Exchange::Send(std::move(exchange), ErrorReply(406, "The version of the API must be 2.1."));
  }
  Answer(std::move(exchange), *path);
}

}  // namespace hapax::openstack
