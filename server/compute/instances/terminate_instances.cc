#include <optional>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/instances/lifecycle.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/server/compute/rows.h"

namespace hapax::compute {
namespace {

bool CanBeTerminated(v1::InstanceState state) {
  return state != v1::INSTANCE_STATE_SHUTTING_DOWN && state != v1::INSTANCE_STATE_TERMINATED;
}

}  // namespace

absl::Status ComputeService::TerminateInstances(const CallContext& context, Transaction& txn,
                                                const v1::TerminateInstancesRequest& request,
                                                v1::TerminateInstancesResponse* response) const {
  if (request.instance_ids().empty()) return RefuseParameter("instance_ids", "at least one is required");
  HAPAX_RETURN_IF_ERROR(CheckIds("instance_ids", request.instance_ids()));
  for (const std::string& instance_id : request.instance_ids()) {
    std::string key = InstanceKey(context.tenant, instance_id);
    HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::InstanceRow> row, GetRow<store::v1::InstanceRow>(txn, kTable, key));
    if (!row.has_value() || row->instance().region() != context.place.region) {
      return RefuseValue(Reason::kInstanceNotFound, "instance_ids", instance_id,
                         "must be instances of the tenant in " + context.place.region);
    }
    v1::InstanceStateChange& change = *response->add_terminating_instances();
    change.set_instance_id(instance_id);
    change.set_previous_state(row->instance().state());
    if (CanBeTerminated(row->instance().state())) {
      row->mutable_instance()->set_state(v1::INSTANCE_STATE_SHUTTING_DOWN);
      row->mutable_instance()->clear_state_reason();
      HAPAX_RETURN_IF_ERROR(work_.Schedule(txn, kShutDownWork, key));
      PutRow(txn, kTable, std::move(key), *row);
    }
    change.set_current_state(row->instance().state());
  }
  return absl::OkStatus();
}

}  // namespace hapax::compute
