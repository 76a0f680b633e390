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

// What is taken of one zone: virtual CPUs, and addresses of its subnets. Read in a transaction, changed
// here, and written back with Save.
//
// Thread-safety: for one thread.
// Errors: the store's.
class ZoneUse {
 public:
  // `zone` outlives it.
  [[nodiscard]] static absl::StatusOr<ZoneUse> Load(const ReadTransaction& txn, const Catalog::Zone& zone);

  [[nodiscard]] const Catalog::Zone& zone() const { return *zone_; }
  // Not negative, even when a catalog has shrunk below what is taken.
  [[nodiscard]] int64_t FreeVcpus() const;
  [[nodiscard]] int64_t FreeAddresses(const Catalog::Subnet& subnet) const;

  void TakeVcpus(int64_t vcpus) { row_.set_used_vcpus(row_.used_vcpus() + vcpus); }

  // An address of the subnet that nobody has, in dotted decimals. Requires: FreeAddresses is not 0.
  [[nodiscard]] absl::StatusOr<std::string> TakeAddress(Transaction& txn, const Catalog::Subnet& subnet);

  void Save(Transaction& txn) const;

 private:
  explicit ZoneUse(const Catalog::Zone& zone) : zone_(&zone) {}

  const Catalog::Zone* zone_;
  store::v1::ZoneRow row_;
};

// Gives back what an instance took of its zone: virtual CPUs, and its address. A zone or subnet that has left
// the catalog keeps its account all the same.
[[nodiscard]] absl::Status ReturnToZone(Transaction& txn, const store::v1::InstanceRow& instance);

// Gives virtual CPUs back to a zone, which keeps its account even when it has left the catalog.
[[nodiscard]] absl::Status ReturnVcpus(Transaction& txn, const std::string& zone, int64_t vcpus);

// Adds to what the tenant has, or subtracts with negative numbers.
[[nodiscard]] absl::Status ChangeTenantUse(Transaction& txn, const std::string& tenant, int64_t instances,
                                           int64_t hosts);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_PLACEMENT_CAPACITY_H_
