#include "hapax/server/compute/placement/capacity.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store_error.h"

namespace hapax::compute {
namespace {

std::string FormatAddress(uint32_t address) {
  in_addr network{.s_addr = htonl(address)};
  std::array<char, INET_ADDRSTRLEN> text;
  HAPAX_CHECK(inet_ntop(AF_INET, &network, text.data(), text.size()) != nullptr, "the buffer fits any IPv4 address");
  return text.data();
}

// Errors: DATA_LOSS when the text is not an address.
absl::StatusOr<uint32_t> ParseAddress(const std::string& text) {
  in_addr network{};
  if (inet_pton(AF_INET, text.c_str(), &network) != 1) {
    return StoreError(absl::DataLossError("an instance has no valid address"));
  };
  return ntohl(network.s_addr);
}

}  // namespace

absl::StatusOr<ZoneUse> ZoneUse::Load(const ReadTransaction& txn, const Catalog::Zone& zone) {
  ZoneUse use(zone);
  HAPAX_ASSIGN_OR_RETURN(use.row_, GetRowOrEmpty<store::v1::ZoneRow>(txn, ZoneUseKey(zone.name)));
  return use;
}

int64_t ZoneUse::FreeVcpus() const { return std::max<int64_t>(0, zone_->vcpus - row_.used_vcpus()); }

int64_t ZoneUse::FreeAddresses(const Catalog::Subnet& subnet) const {
  const auto use = row_.subnets().find(subnet.id);
  if (use == row_.subnets().end()) return subnet.address_count;
  return std::max<int64_t>(0, subnet.address_count - use->second.issued()) + use->second.returned();
}

absl::StatusOr<std::string> ZoneUse::TakeAddress(Transaction& txn, const Catalog::Subnet& subnet) {
  store::v1::SubnetUse& use = (*row_.mutable_subnets())[subnet.id];
  if (use.issued() < subnet.address_count) {
    const uint32_t address = subnet.first_address + static_cast<uint32_t>(use.issued());
    use.set_issued(use.issued() + 1);
    return FormatAddress(address);
  }
  const std::string prefix = ReturnedAddressPrefix(subnet.id);
  std::string key = prefix;
  HAPAX_RETURN_IF_ERROR(txn.Scan(kTable, KeyRange::Prefix(prefix), [&](std::string_view first, std::string_view) {
    key = std::string(first);
    return false;
  }));
  HAPAX_ASSIGN_OR_RETURN(const uint64_t address, KeyParser(std::string_view(key).substr(prefix.size())).Uint64());
  txn.Delete(kTable, std::move(key));
  use.set_returned(use.returned() - 1);
  return FormatAddress(static_cast<uint32_t>(address));
}

void ZoneUse::Save(Transaction& txn) const { PutRow(txn, kTable, ZoneUseKey(zone_->name), row_); }

absl::Status ReturnToZone(Transaction& txn, const store::v1::InstanceRow& instance) {
  const std::string key = ZoneUseKey(instance.instance().availability_zone());
  HAPAX_ASSIGN_OR_RETURN(store::v1::ZoneRow row, GetRowOrEmpty<store::v1::ZoneRow>(txn, key));
  row.set_used_vcpus(row.used_vcpus() - instance.zone_vcpus());
  const std::string& subnet_id = instance.instance().subnet_id();
  HAPAX_ASSIGN_OR_RETURN(const uint32_t address, ParseAddress(instance.instance().private_ip_address()));
  PutRow(txn, kTable, ReturnedAddressKey(subnet_id, address), store::v1::ReturnedAddressRow());
  store::v1::SubnetUse& use = (*row.mutable_subnets())[subnet_id];
  use.set_returned(use.returned() + 1);
  PutRow(txn, kTable, key, row);
  return absl::OkStatus();
}

absl::Status ReturnVcpus(Transaction& txn, const std::string& zone, int64_t vcpus) {
  std::string key = ZoneUseKey(zone);
  HAPAX_ASSIGN_OR_RETURN(store::v1::ZoneRow row, GetRowOrEmpty<store::v1::ZoneRow>(txn, key));
  row.set_used_vcpus(row.used_vcpus() - vcpus);
  PutRow(txn, kTable, std::move(key), row);
  return absl::OkStatus();
}

absl::Status ChangeTenantUse(Transaction& txn, const std::string& tenant, int64_t instances, int64_t hosts) {
  std::string key = TenantUseKey(tenant);
  HAPAX_ASSIGN_OR_RETURN(store::v1::TenantRow row, GetRowOrEmpty<store::v1::TenantRow>(txn, key));
  row.set_instances(row.instances() + instances);
  row.set_hosts(row.hosts() + hosts);
  PutRow(txn, kTable, std::move(key), row);
  return absl::OkStatus();
}

}  // namespace hapax::compute
