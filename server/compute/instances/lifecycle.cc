#include "hapax/server/compute/instances/lifecycle.h"

#include <memory>
#include <optional>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/server/compute/hypervisor/hypervisor_error.h"
#include "hapax/server/compute/placement/capacity.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/key.h"
#include "hapax/storage/service_table.h"

namespace hapax::compute {
namespace {

struct InstanceName {
  std::string tenant;
  std::string instance_id;
};

absl::StatusOr<InstanceName> ParseSubject(const std::string& subject) {
  KeyParser parser(subject);
  InstanceName name;
  HAPAX_RETURN_IF_ERROR(parser.String().status());  // The row's kind.
  HAPAX_ASSIGN_OR_RETURN(name.tenant, parser.String());
  HAPAX_ASSIGN_OR_RETURN(name.instance_id, parser.String());
  return name;
}

// The hypervisor's name for the instance. Complete detects a damaged subject.
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

// Leaves instances that must not boot any more, or cannot be read, to Complete.
void BootDriver::Perform(const std::string& subject, Done done) {
  const auto row = std::make_shared<std::optional<store::v1::InstanceRow>>();
  store_.Query(
      [subject, row](const ReadTransaction& txn) -> absl::Status {
        static const std::string prefix = ServiceTablePrefix(kServiceName);
        HAPAX_ASSIGN_OR_RETURN(*row, GetRow<store::v1::InstanceRow>(ServiceReads(txn, prefix), kTable, subject));
        return absl::OkStatus();
      },
      [this, row, done = std::move(done)](const absl::Status& status) mutable {
        if (!status.ok() && !absl::IsDataLoss(status)) return std::move(done)(absl::UnavailableError(status.message()));
        if (!status.ok() || !row->has_value() || (*row)->instance().state() != v1::INSTANCE_STATE_PENDING) {
          return std::move(done)(absl::OkStatus());
        }
        hypervisor_.Boot({.instance = std::move(*(*row)->mutable_instance()),
                          .public_key = std::move(*(*row)->mutable_public_key())},
                         std::move(done));
      });
}

absl::Status BootDriver::Complete(const std::string& subject, const absl::Status& result, Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(store::v1::InstanceRow row, ReadInstance(subject, txn));
  v1::Instance& instance = *row.mutable_instance();
  if (instance.state() != v1::INSTANCE_STATE_PENDING) return absl::OkStatus();
  if (result.ok()) {
    instance.set_state(v1::INSTANCE_STATE_RUNNING);
  } else {
    instance.set_state(v1::INSTANCE_STATE_SHUTTING_DOWN);
    *instance.mutable_state_reason() = StateReasonOf(result, "launch");
    HAPAX_RETURN_IF_ERROR(work_.Schedule(txn, kShutDownWork, subject));
  }
  PutRow(txn, kTable, subject, row);
  return absl::OkStatus();
}

void ShutDownDriver::Perform(const std::string& subject, Done done) {
  hypervisor_.ShutDown(InstanceIdOf(subject), [done = std::move(done)](const absl::Status& result) mutable {
    std::move(done)(result.ok() ? result : absl::UnavailableError(result.ToString()));
  });
}

absl::Status ShutDownDriver::Complete(const std::string& subject, const absl::Status& /*result*/, Transaction& txn) {
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
