#include "hapax/server/compute/lifecycle.h"

#include <optional>
#include <utility>

#include "hapax/server/compute/capacity.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/key.h"
#include "hapax/storage/status_macros.h"

namespace hapax::compute {
namespace {

struct InstanceName {
  std::string tenant;
  std::string instance_id;
};

absl::StatusOr<InstanceName> ParseSubject(const std::string& subject) {
  KeyParser parser(subject);
  InstanceName name;
  HAPAX_RETURN_IF_ERROR(parser.String().status());  // The kind of the row.
  HAPAX_ASSIGN_OR_RETURN(name.tenant, parser.String());
  HAPAX_ASSIGN_OR_RETURN(name.instance_id, parser.String());
  return name;
}

// The hypervisor's name for the instance. A damaged subject is found out by Complete.
std::string InstanceIdOf(const std::string& subject) {
  const absl::StatusOr<InstanceName> name = ParseSubject(subject);
  return name.ok() ? name->instance_id : subject;
}

absl::StatusOr<store::v1::InstanceRow> ReadInstance(const std::string& subject, Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::InstanceRow> row,
                         GetRow<store::v1::InstanceRow>(txn, kTable, subject));
  if (!row.has_value()) return absl::DataLossError("there is work for an instance that has no row");
  return *std::move(row);
}

absl::Status ReturnToHost(Transaction& txn, const std::string& tenant, const std::string& host_id) {
  std::string key = HostKey(tenant, host_id);
  HAPAX_ASSIGN_OR_RETURN(std::optional<v1::Host> host, GetRow<v1::Host>(txn, kTable, key));
  if (!host.has_value()) return absl::OkStatus();
  host->set_available_capacity(host->available_capacity() + 1);
  PutRow(txn, kTable, std::move(key), *host);
  return absl::OkStatus();
}

}  // namespace

void BootDriver::Perform(const std::string& subject, absl::AnyInvocable<void() &&> done) {
  hypervisor_.Boot(InstanceIdOf(subject), std::move(done));
}

absl::Status BootDriver::Complete(const std::string& subject, Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(store::v1::InstanceRow row, ReadInstance(subject, txn));
  if (row.instance().state() != v1::INSTANCE_STATE_PENDING) return absl::OkStatus();
  row.mutable_instance()->set_state(v1::INSTANCE_STATE_RUNNING);
  PutRow(txn, kTable, subject, row);
  return absl::OkStatus();
}

void ShutDownDriver::Perform(const std::string& subject, absl::AnyInvocable<void() &&> done) {
  hypervisor_.ShutDown(InstanceIdOf(subject), std::move(done));
}

absl::Status ShutDownDriver::Complete(const std::string& subject, Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const InstanceName name, ParseSubject(subject));
  HAPAX_ASSIGN_OR_RETURN(store::v1::InstanceRow row, ReadInstance(subject, txn));
  if (row.instance().state() != v1::INSTANCE_STATE_SHUTTING_DOWN) return absl::OkStatus();
  HAPAX_RETURN_IF_ERROR(ReturnToZone(txn, row));
  if (const std::string& host_id = row.instance().host_id(); !host_id.empty()) {
    HAPAX_RETURN_IF_ERROR(ReturnToHost(txn, name.tenant, host_id));
  }
  HAPAX_RETURN_IF_ERROR(ChangeTenantUse(txn, name.tenant, /*instances=*/-1, /*hosts=*/0));
  row.mutable_instance()->set_state(v1::INSTANCE_STATE_TERMINATED);
  PutRow(txn, kTable, subject, row);
  return absl::OkStatus();
}

}  // namespace hapax::compute
