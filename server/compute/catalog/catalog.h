#ifndef HAPAX_SERVER_COMPUTE_CATALOG_CATALOG_H_
#define HAPAX_SERVER_COMPUTE_CATALOG_CATALOG_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/catalog.pb.h"

namespace hapax::compute {

// The resources that the service offers, from a catalog file or the built-in text
// (proto/hapax/compute/v1/catalog.proto), checked and indexed.
//
// Thread-safety: immutable.
class Catalog {
 public:
  struct Subnet {
    std::string id;
    std::string cidr_block;
    std::string zone;
    std::string region;
    uint32_t first_address = 0;  // Host byte order; the first usable one.
    int64_t address_count = 0;   // The number of usable addresses.
  };
  struct Zone {
    std::string name;
    std::string region;
    int64_t vcpus = 0;
    std::vector<const Subnet*> subnets;
  };

  // Errors: INVALID_ARGUMENT, naming the field and what is allowed.
  [[nodiscard]] static absl::StatusOr<Catalog> Parse(const std::string& text);
  // The built-in catalog (builtin_catalog.h).
  [[nodiscard]] static Catalog BuiltIn();

  Catalog(Catalog&&) = default;

  // These return null if there is none of that name.
  [[nodiscard]] const Zone* FindZone(std::string_view name) const;
  [[nodiscard]] const Subnet* FindSubnet(std::string_view id) const;
  [[nodiscard]] const v1::CatalogInstanceType* FindInstanceType(std::string_view name) const;
  [[nodiscard]] bool HasRegion(std::string_view name) const { return regions_.contains(name); }
  [[nodiscard]] bool HasImage(std::string_view id) const { return images_.contains(id); }
  [[nodiscard]] bool IsImageKeyName(std::string_view name) const { return image_key_names_.contains(name); }

  // Ordered by name.
  [[nodiscard]] const std::map<std::string, Zone, std::less<>>& zones() const { return zones_; }
  [[nodiscard]] const std::map<std::string, Subnet, std::less<>>& subnets() const { return subnets_; }
  [[nodiscard]] const std::set<std::string, std::less<>>& regions() const { return regions_; }
  [[nodiscard]] const std::set<std::string, std::less<>>& images() const { return images_; }
  [[nodiscard]] const std::map<std::string, v1::CatalogInstanceType, std::less<>>& instance_types() const {
    return instance_types_;
  }

  [[nodiscard]] const std::string& default_instance_type() const { return default_instance_type_; }
  // `one of ` and the names, for error messages. A long list is cut, with the number of missing names.
  [[nodiscard]] std::string InstanceTypeNames() const;
  [[nodiscard]] const v1::CatalogQuota& quota() const { return quota_; }

 private:
  Catalog() = default;

  [[nodiscard]] absl::Status AddRegion(const v1::CatalogRegion& region);
  [[nodiscard]] absl::Status AddZone(const std::string& region, const v1::CatalogZone& zone);
  [[nodiscard]] absl::Status AddSubnet(Zone& zone, const v1::CatalogSubnet& subnet);
  [[nodiscard]] absl::Status AddInstanceType(const v1::CatalogInstanceType& type);

  std::set<std::string, std::less<>> regions_;
  std::map<std::string, Zone, std::less<>> zones_;
  std::map<std::string, Subnet, std::less<>> subnets_;
  std::map<uint32_t, uint32_t> ranges_;  // First and last address of each subnet.
  std::set<std::string, std::less<>> images_;
  std::map<std::string, v1::CatalogInstanceType, std::less<>> instance_types_;
  std::set<std::string, std::less<>> image_key_names_;
  std::string default_instance_type_;
  v1::CatalogQuota quota_;
};

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_CATALOG_CATALOG_H_
