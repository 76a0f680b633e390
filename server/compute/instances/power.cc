#include "hapax/server/compute/instances/power.h"

#include <optional>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/compute_service.h"
#include "hapax/server/compute/hypervisor/hypervisor_error.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/key.h"

namespace hapax::compute {
namespace {

// A transition from one state at rest to another, through a state on the way.
struct Transition {
  std::string_view action;
  std::string_view method;
  std::string_view work;
  v1::InstanceState from;
  v1::InstanceState during;
  v1::InstanceState to;
};

const Transition& TransitionOf(PowerDriver::Kind kind) {
  static constexpr Transition kStop = {.action = "stop",
                                       .method = "StopInstance",
                                       .work = kStopWork,
                                       .from = v1::INSTANCE_STATE_RUNNING,
                                       .during = v1::INSTANCE_STATE_STOPPING,
                                       .to = v1::INSTANCE_STATE_STOPPED};
  static constexpr Transition kStart = {.action = "start",
                                        .method = "StartInstance",
                                        .work = kStartWork,
                                        .from = v1::INSTANCE_STATE_STOPPED,
                                        .during = v1::INSTANCE_STATE_PENDING,
                                        .to = v1::INSTANCE_STATE_RUNNING};
  switch (kind) {
    case PowerDriver::Kind::kStop:
      return kStop;
    case PowerDriver::Kind::kStart:
      return kStart;
  }
  HAPAX_CHECK(false, "a Kind is one of its values");
}

// Begins the transition of an instance, and the operation that ends with it.
template <typename Request>
absl::StatusOr<external::longrunning::Operation> BeginTransition(PowerDriver::Kind kind, const CallContext& context,
                                                                 Transaction& txn, const Request& request,
                                                                 const Operations& operations, WorkQueue& work) {
  const Transition& transition = TransitionOf(kind);
  if (request.instance_id().empty()) return RefuseParameter("instance_id", "is required");
  std::string key = InstanceKey(context.tenant, request.instance_id());
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::InstanceRow> row, GetRow<store::v1::InstanceRow>(txn, kTable, key));
  if (!row.has_value() || row->instance().region() != context.place.region) {
    return RefuseValue(Reason::kInstanceNotFound, "instance_id", request.instance_id(),
                       "must be an instance of the tenant in " + context.place.region);
  }
  const v1::InstanceState state = row->instance().state();
  const bool is_unchanged = request.allow_unchanged() && (state == transition.during || state == transition.to);
  if (state != transition.from && !is_unchanged) {
    return RefuseField(Reason::kIncorrectInstanceState, "instance_id",
                       "must be an instance that is " + v1::InstanceState_Name(transition.from) + ", and is " +
                           v1::InstanceState_Name(state));
  }
  v1::InstanceOperationMetadata metadata;
  metadata.set_instance_id(request.instance_id());
  metadata.set_method(std::string(transition.method));
  *metadata.mutable_create_time() = ToTimestamp(context.now);
  metadata.set_previous_state(state);
  HAPAX_ASSIGN_OR_RETURN(external::longrunning::Operation operation, operations.Begin(txn, context, metadata));
  if (is_unchanged) {
    HAPAX_RETURN_IF_ERROR(operations.Succeed(txn, context.tenant, operation.name(), row->instance()));
    return Operations::Get(txn, context.tenant, operation.name());
  }
  const PowerTask task = {
      .tenant = context.tenant, .instance_id = request.instance_id(), .operation = operation.name()};
  HAPAX_RETURN_IF_ERROR(work.Schedule(txn, transition.work, task.Encode()));
  row->mutable_instance()->set_state(transition.during);
  row->mutable_instance()->clear_state_reason();
  PutRow(txn, kTable, std::move(key), *row);
  return operation;
}

}  // namespace

std::string PowerTask::Encode() const {
  return KeyBuilder().String(tenant).String(instance_id).String(operation).Build();
}

absl::StatusOr<PowerTask> PowerTask::Decode(const std::string& subject) {
  KeyParser parser(subject);
  PowerTask task;
  for (std::string* element : {&task.tenant, &task.instance_id, &task.operation}) {
    HAPAX_ASSIGN_OR_RETURN(*element, parser.String());
  }
  return task;
}

absl::Status ComputeService::StopInstance(const CallContext& context, Transaction& txn,
                                          const v1::StopInstanceRequest& request,
                                          external::longrunning::Operation* response) const {
  HAPAX_ASSIGN_OR_RETURN(*response,
                         BeginTransition(PowerDriver::Kind::kStop, context, txn, request, operations_, work_));
  return absl::OkStatus();
}

absl::Status ComputeService::StartInstance(const CallContext& context, Transaction& txn,
                                           const v1::StartInstanceRequest& request,
                                           external::longrunning::Operation* response) const {
  HAPAX_ASSIGN_OR_RETURN(*response,
                         BeginTransition(PowerDriver::Kind::kStart, context, txn, request, operations_, work_));
  return absl::OkStatus();
}

void PowerDriver::Perform(const std::string& subject, Done done) {
  // Complete detects a damaged subject.
  const PowerTask task = PowerTask::Decode(subject).value_or(PowerTask());
  switch (kind_) {
    case Kind::kStop:
      return hypervisor_.Stop(task.instance_id, task.operation, std::move(done));
    case Kind::kStart:
      return hypervisor_.Start(task.instance_id, task.operation, std::move(done));
  }
}

absl::Status PowerDriver::Complete(const std::string& subject, const absl::Status& result, Transaction& txn) {
  const Transition& transition = TransitionOf(kind_);
  HAPAX_ASSIGN_OR_RETURN(const PowerTask task, PowerTask::Decode(subject));
  std::string key = InstanceKey(task.tenant, task.instance_id);
  HAPAX_ASSIGN_OR_RETURN(std::optional<store::v1::InstanceRow> row, GetRow<store::v1::InstanceRow>(txn, kTable, key));
  if (!row.has_value()) return absl::DataLossError("there is work for an instance that has no row");
  if (row->instance().state() != transition.during) {
    return operations_.Fail(txn, task.tenant, task.operation,
                            Refuse(Reason::kIncorrectInstanceState, "the instance was terminated meanwhile"));
  }
  v1::Instance& instance = *row->mutable_instance();
  if (result.ok()) {
    instance.set_state(transition.to);
    HAPAX_RETURN_IF_ERROR(operations_.Succeed(txn, task.tenant, task.operation, instance));
  } else {
    instance.set_state(transition.from);
    *instance.mutable_state_reason() = StateReasonOf(result, transition.action);
    HAPAX_RETURN_IF_ERROR(
        operations_.Fail(txn, task.tenant, task.operation, OperationErrorOf(result, transition.action)));
  }
  PutRow(txn, kTable, std::move(key), *row);
  return absl::OkStatus();
}

}  // namespace hapax::compute
