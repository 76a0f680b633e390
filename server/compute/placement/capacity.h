#ifndef HAPAX_SERVER_COMPUTE_PLACEMENT_CAPACITY_H_
#define HAPAX_SERVER_COMPUTE_PLACEMENT_CAPACITY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/compute.pb.h"

namespace hapax::compute {

// The used resources of one zone: virtual CPUs, and addresses of its subnets. Read in a transaction, changed here, and
// written back with Save.
//
// Thread-safety: for one thread.
// Errors: those of the store.
class ZoneUse {
 public:
  // `zone` outlives it.
  [[nodiscard]] static absl::StatusOr<ZoneUse> Load(const ReadTransaction& txn, const Catalog::Zone& zone);

  [[nodiscard]] const Catalog::Zone& zone() const { return *zone_; }
  // Not negative, even if a changed catalog offers less than is used.
  [[nodiscard]] int64_t FreeVcpus() const;
  [[nodiscard]] int64_t FreeAddresses(const Catalog::Subnet& subnet) const;

  void TakeVcpus(int64_t vcpus) { row_.set_used_vcpus(row_.used_vcpus() + vcpus); }

  // Returns an unused address of the subnet, in dotted decimals. Requires: FreeAddresses is not 0.
  [[nodiscard]] absl::StatusOr<std::string> TakeAddress(Transaction& txn, const Catalog::Subnet& subnet);

  void Save(Transaction& txn) const;

 private:
  explicit ZoneUse(const Catalog::Zone& zone) : zone_(&zone) {}

  const Catalog::Zone* zone_;
  store::v1::ZoneRow row_;
};

// Gives back an instance's virtual CPUs and address. The zone and subnet keep their accounts even when they have left
// the catalog.
[[nodiscard]] absl::Status ReturnToZone(Transaction& txn, const store::v1::InstanceRow& instance);

// Gives virtual CPUs back to a zone, which keeps its account even when it has left the catalog.
[[nodiscard]] absl::Status ReturnVcpus(Transaction& txn, const std::string& zone, int64_t vcpus);

// Adds to the tenant's usage; negative numbers subtract.
[[nodiscard]] absl::Status ChangeTenantUse(Transaction& txn, const std::string& tenant, int64_t instances,
                                           int64_t hosts);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_PLACEMENT_CAPACITY_H_
