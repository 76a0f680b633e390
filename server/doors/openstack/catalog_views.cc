#include "hapax/server/doors/openstack/catalog_views.h"

#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/openstack/query.h"

namespace hapax::openstack {
namespace {

using compute::v1::CatalogInstanceType;
using compute::v1::DescribeAvailabilityZonesRequest;
using compute::v1::DescribeAvailabilityZonesResponse;

JsonObject SelfLink(const std::string& url) { return JsonObject().Text("rel", "self").Text("href", url); }

// The catalog knows neither memory nor disk: both are 0.
JsonObject FlavorView(const Exchange& exchange, const CatalogInstanceType& type, bool with_details) {
  JsonObject view;
  view.Text("id", type.name()).Text("name", type.name());
  if (with_details) {
    view.Number("vcpus", type.vcpus())
        .Number("ram", 0)
        .Number("disk", 0)
        .Text("swap", "")
        .Number("OS-FLV-EXT-DATA:ephemeral", 0)
        .Bool("OS-FLV-DISABLED:disabled", false)
        .Bool("os-flavor-access:is_public", true)
        .Number("rxtx_factor", 1);
  }
  const std::string base = exchange.BaseUrl();
  return view.Objects("links", {SelfLink(base + "/v2.1/flavors/" + type.name()),
                                JsonObject().Text("rel", "bookmark").Text("href", base + "/flavors/" + type.name())});
}

JsonObject ImageView(const std::string& id) {
  return JsonObject()
      .Text("id", id)
      .Text("name", id)
      .Text("status", "active")
      .Text("visibility", "public")
      .Bool("protected", true)
      .Text("container_format", "bare")
      .Text("disk_format", "raw")
      .Number("min_disk", 0)
      .Number("min_ram", 0)
      .Null("owner")
      .Null("size")
      .Null("checksum")
      .Texts("tags", {})
      .Text("self", "/v2/images/" + id)
      .Text("file", "/v2/images/" + id + "/file")
      .Text("schema", "/v2/schemas/image");
}

// Items are ordered by name.
bool IsOnPage(const std::string& name, const PageLimits& page, size_t count) {
  return count < page.limit && (page.marker.empty() || name > page.marker);
}

void Answer(ExchangePtr exchange, JsonObject body) {
  Exchange::Authenticate(std::move(exchange), [body = std::move(body)](ExchangePtr self) {
    Exchange::Send(std::move(self), JsonReply(200, body));
  });
}

// One that an unknown caller does not get, either.
void AnswerAbsent(ExchangePtr exchange, std::string message) {
  Exchange::Authenticate(std::move(exchange), [message = std::move(message)](ExchangePtr self) {
    Exchange::Send(std::move(self), ErrorReply(404, message));
  });
}

absl::StatusOr<JsonObject> FlavorsOf(const Exchange& exchange, bool with_details) {
  HAPAX_ASSIGN_OR_RETURN(Query query, Query::Parse(exchange.request.query));
  HAPAX_ASSIGN_OR_RETURN(const PageLimits page, TakePageLimits(query));
  static_cast<void>(query.Take("is_public"));  // All are.
  HAPAX_RETURN_IF_ERROR(query.Finish());
  std::vector<JsonObject> flavors;
  for (const auto& [name, type] : exchange.options.catalog.instance_types()) {
    if (IsOnPage(name, page, flavors.size())) flavors.push_back(FlavorView(exchange, type, with_details));
  }
  return JsonObject().Objects("flavors", flavors);
}

absl::StatusOr<JsonObject> ImagesOf(const Exchange& exchange) {
  HAPAX_ASSIGN_OR_RETURN(Query query, Query::Parse(exchange.request.query));
  HAPAX_ASSIGN_OR_RETURN(const PageLimits page, TakePageLimits(query));
  const std::optional<std::string> wanted = query.Take("name");
  const std::optional<std::string> visibility = query.Take("visibility");
  HAPAX_RETURN_IF_ERROR(query.Finish());
  std::vector<JsonObject> images;
  for (const std::string& id : exchange.options.catalog.images()) {
    const bool is_wanted = wanted.value_or(id) == id && (!visibility.has_value() || *visibility == "public");
    if (is_wanted && IsOnPage(id, page, images.size())) images.push_back(ImageView(id));
  }
  return JsonObject().Objects("images", images).Text("first", "/v2/images").Text("schema", "/v2/schemas/images");
}

constexpr size_t kMaxZones = 10'000;

void AddZones(ExchangePtr exchange, std::string page_token, std::vector<JsonObject> zones) {
  DescribeAvailabilityZonesRequest request;
  request.set_region(exchange->region);
  request.set_page_size(1000);
  request.set_page_token(std::move(page_token));
  Exchange::Read<DescribeAvailabilityZonesResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeAvailabilityZones", request,
      [zones = std::move(zones)](ExchangePtr self, const DescribeAvailabilityZonesResponse& response) mutable {
        for (const auto& zone : response.availability_zones()) {
          zones.push_back(JsonObject()
                              .Text("zoneName", zone.zone_name())
                              .Object("zoneState", JsonObject().Bool("available", true))
                              .Null("hosts"));
        }
        if (response.next_page_token().empty() || response.availability_zones().empty() || zones.size() > kMaxZones) {
          return Exchange::Send(std::move(self), JsonReply(200, JsonObject().Objects("availabilityZoneInfo", zones)));
        }
        AddZones(std::move(self), response.next_page_token(), std::move(zones));
      });
}

}  // namespace

void ShowComputeVersion(ExchangePtr exchange) {
  const std::string url = exchange->BaseUrl() + "/v2.1/";
  const JsonObject version = JsonObject()
                                 .Text("id", "v2.1")
                                 .Text("status", "CURRENT")
                                 .Text("version", kMicroversion)
                                 .Text("min_version", kMicroversion)
                                 .Text("updated", "2013-07-23T11:33:21Z")
                                 .Objects("links", {SelfLink(url)});
  Exchange::Send(std::move(exchange), JsonReply(200, JsonObject().Object("version", version)));
}

void ShowImageVersions(ExchangePtr exchange) {
  const std::string url = exchange->BaseUrl() + "/image/v2/";
  const JsonObject version =
      JsonObject().Text("id", "v2.9").Text("status", "CURRENT").Objects("links", {SelfLink(url)});
  Exchange::Send(std::move(exchange), JsonReply(200, JsonObject().Objects("versions", {version})));
}

void ListFlavors(ExchangePtr exchange, bool with_details) {
  absl::StatusOr<JsonObject> body = FlavorsOf(*exchange, with_details);
  if (!body.ok()) return Exchange::Send(std::move(exchange), body.status());
  Answer(std::move(exchange), *std::move(body));
}

void ShowFlavor(ExchangePtr exchange, const std::string& id) {
  const CatalogInstanceType* const type = exchange->options.catalog.FindInstanceType(id);
  if (type == nullptr) return AnswerAbsent(std::move(exchange), "Flavor " + id + " could not be found.");
  JsonObject body = JsonObject().Object("flavor", FlavorView(*exchange, *type, /*with_details=*/true));
  Answer(std::move(exchange), std::move(body));
}

void ShowExtraSpecs(ExchangePtr exchange, const std::string& id) {
  if (exchange->options.catalog.FindInstanceType(id) == nullptr) {
    return AnswerAbsent(std::move(exchange), "Flavor " + id + " could not be found.");
  }
  Answer(std::move(exchange), JsonObject().Object("extra_specs", JsonObject()));
}

void ListImages(ExchangePtr exchange) {
  absl::StatusOr<JsonObject> body = ImagesOf(*exchange);
  if (!body.ok()) return Exchange::Send(std::move(exchange), body.status());
  Answer(std::move(exchange), *std::move(body));
}

void ShowImage(ExchangePtr exchange, const std::string& id) {
  if (!exchange->options.catalog.HasImage(id)) return AnswerAbsent(std::move(exchange), "No image found with ID " + id);
  Answer(std::move(exchange), ImageView(id));
}

void ListZones(ExchangePtr exchange) { AddZones(std::move(exchange), "", {}); }

}  // namespace hapax::openstack
