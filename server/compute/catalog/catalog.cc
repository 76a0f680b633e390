#include "hapax/server/compute/catalog/catalog.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/server/compute/catalog/builtin_catalog.h"

namespace hapax::compute {
namespace {

constexpr int kMinPrefixBits = 8;
constexpr int kMaxPrefixBits = 28;
// As in EC2: the network, the router, the name server, one reserved for later; and the broadcast address.
constexpr uint32_t kReservedFirst = 4;
constexpr uint32_t kReservedLast = 1;
constexpr size_t kMaxNameLength = 64;
constexpr absl::string_view kSubnetPrefix = "subnet-";
constexpr int64_t kMaxVcpus = 100'000;  // Of an instance; a thousand full hosts can still be counted.

absl::Status Wrong(absl::string_view field, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", allowed));
}

absl::Status WrongValue(absl::string_view field, absl::string_view value, absl::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat(field, " \"", absl::CHexEscape(value), "\": ", allowed));
}

// Keeps the first error that the parser of the text format reports.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool IsName(absl::string_view name) {
  const auto allowed = [](unsigned char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; };
  return !name.empty() && name.size() <= kMaxNameLength && std::all_of(name.begin(), name.end(), allowed);
}

struct AddressRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

absl::StatusOr<AddressRange> ParseCidr(const std::string& cidr) {
  const std::vector<std::string> parts = absl::StrSplit(cidr, '/');
  in_addr address{};
  int bits = 0;
  const bool parsed = parts.size() == 2 && inet_pton(AF_INET, parts[0].c_str(), &address) == 1 &&
                      absl::SimpleAtoi(parts[1], &bits) && bits >= kMinPrefixBits && bits <= kMaxPrefixBits;
  if (!parsed)
    return WrongValue("regions.zones.subnets.cidr_block", cidr,
                      "must be an IPv4 range with a prefix of 8 to 28 bits, such as 10.0.0.0/12");
  const uint32_t host_mask = (uint32_t{1} << (32 - bits)) - 1;
  const uint32_t first = ntohl(address.s_addr);
  if ((first & host_mask) != 0)
    return WrongValue("regions.zones.subnets.cidr_block", cidr, "must begin at its network's address");
  return AddressRange{.first = first, .last = first | host_mask};
}

template <typename Map>
const typename Map::mapped_type* Find(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

absl::StatusOr<Catalog> Catalog::Parse(const std::string& text) {
  v1::Catalog message;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, &message)) return absl::InvalidArgumentError(error.text());

  Catalog catalog;
  if (message.regions().empty()) return Wrong("regions", "at least one is required");
  for (const v1::CatalogRegion& region : message.regions()) HAPAX_RETURN_IF_ERROR(catalog.AddRegion(region));
  if (message.image_ids().empty()) return Wrong("image_ids", "at least one is required");
  catalog.images_.insert(message.image_ids().begin(), message.image_ids().end());
  if (message.instance_types().empty()) return Wrong("instance_types", "at least one is required");
  for (const auto& type : message.instance_types()) HAPAX_RETURN_IF_ERROR(catalog.AddInstanceType(type));
  catalog.default_instance_type_ = message.default_instance_type();
  if (catalog.FindInstanceType(catalog.default_instance_type_) == nullptr) {
    return WrongValue("default_instance_type", catalog.default_instance_type_, "must be one of instance_types");
  }
  catalog.quota_ = message.quota();
  if (catalog.quota_.instances() < 1) return Wrong("quota.instances", "must be at least 1");
  if (catalog.quota_.hosts() < 1) return Wrong("quota.hosts", "must be at least 1");
  catalog.image_key_names_.insert(message.image_key_names().begin(), message.image_key_names().end());
  return catalog;
}

Catalog Catalog::BuiltIn() {
  absl::StatusOr<Catalog> catalog = Parse(kBuiltInCatalog);
  HAPAX_CHECK(catalog.ok(), catalog.status().ToString().c_str());
  return *std::move(catalog);
}

absl::Status Catalog::AddRegion(const v1::CatalogRegion& region) {
  if (!IsName(region.name()))
    return WrongValue("regions.name", region.name(), "must be 1 to 64 of a-z, 0-9 and hyphens");
  if (!regions_.insert(region.name()).second) {
    return WrongValue("regions.name", region.name(), "is there twice");
  }
  if (region.zones().empty()) return Wrong("regions.zones", "at least one is required in each region");
  for (const v1::CatalogZone& zone : region.zones()) HAPAX_RETURN_IF_ERROR(AddZone(region.name(), zone));
  return absl::OkStatus();
}

absl::Status Catalog::AddZone(const std::string& region, const v1::CatalogZone& zone) {
  if (!IsName(zone.name()))
    return WrongValue("regions.zones.name", zone.name(), "must be 1 to 64 of a-z, 0-9 and hyphens");
  if (absl::StartsWith(zone.name(), kSubnetPrefix)) {
    return WrongValue("regions.zones.name", zone.name(), "must not begin with \"subnet-\", as subnets do");
  }
  if (zone.vcpus() < 1) return Wrong("regions.zones.vcpus", "must be at least 1");
  if (zone.subnets().empty()) return Wrong("regions.zones.subnets", "at least one is required in each zone");
  const auto [added, is_new] =
      zones_.try_emplace(zone.name(), Zone{.name = zone.name(), .region = region, .vcpus = zone.vcpus()});
  if (!is_new) return WrongValue("regions.zones.name", zone.name(), "is there twice");
  for (const v1::CatalogSubnet& subnet : zone.subnets()) HAPAX_RETURN_IF_ERROR(AddSubnet(added->second, subnet));
  return absl::OkStatus();
}

absl::Status Catalog::AddSubnet(Zone& zone, const v1::CatalogSubnet& subnet) {
  absl::string_view suffix = subnet.id();
  if (!absl::ConsumePrefix(&suffix, kSubnetPrefix) || !IsName(suffix) || absl::StrContains(suffix, '-') ||
      suffix.size() > 40) {
    return WrongValue("regions.zones.subnets.id", subnet.id(), "must be \"subnet-\" and 1 to 40 of a-z and 0-9");
  }
  HAPAX_ASSIGN_OR_RETURN(const AddressRange range, ParseCidr(subnet.cidr_block()));
  const auto after = ranges_.upper_bound(range.last);
  if (after != ranges_.begin() && std::prev(after)->second >= range.first) {
    return WrongValue("regions.zones.subnets.cidr_block", subnet.cidr_block(), "overlaps the range of another subnet");
  }
  ranges_[range.first] = range.last;
  const auto [added, is_new] = subnets_.try_emplace(
      subnet.id(), Subnet{.id = subnet.id(),
                          .cidr_block = subnet.cidr_block(),
                          .zone = zone.name,
                          .region = zone.region,
                          .first_address = range.first + kReservedFirst,
                          .address_count = int64_t{range.last} - range.first + 1 - kReservedFirst - kReservedLast});
  if (!is_new) return WrongValue("regions.zones.subnets.id", subnet.id(), "is there twice");
  zone.subnets.push_back(&added->second);
  return absl::OkStatus();
}

absl::Status Catalog::AddInstanceType(const v1::CatalogInstanceType& type) {
  if (type.name().empty()) return Wrong("instance_types.name", "is required");
  if (type.vcpus() < 1 || type.vcpus() > kMaxVcpus) return Wrong("instance_types.vcpus", "must be 1 to 100000");
  if (type.instances_per_host() < 1 || type.instances_per_host() > 1000) {
    return Wrong("instance_types.instances_per_host", "must be 1 to 1000");
  }
  if (!instance_types_.try_emplace(type.name(), type).second) {
    return WrongValue("instance_types.name", type.name(), "is there twice");
  }
  return absl::OkStatus();
}

std::string Catalog::InstanceTypeNames() const {
  std::vector<std::string_view> names;
  names.reserve(instance_types_.size());
  for (const auto& [name, type] : instance_types_) names.push_back(name);
  return "one of " + JoinNames(names);
}

const Catalog::Zone* Catalog::FindZone(std::string_view name) const { return Find(zones_, name); }

const Catalog::Subnet* Catalog::FindSubnet(std::string_view id) const { return Find(subnets_, id); }

const v1::CatalogInstanceType* Catalog::FindInstanceType(std::string_view name) const {
  return Find(instance_types_, name);
}

}  // namespace hapax::compute
