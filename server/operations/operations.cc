#include "hapax/server/operations/operations.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/rpc_status.h"
#include "hapax/proto/public_name.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/service_table.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

constexpr std::string_view kCollection = "operations/";
constexpr Table kTable = Table::kOperations;

std::string KeyOf(std::string_view tenant, std::string_view name) {
  return Operations::KeyPrefix(tenant) + KeyBuilder().String(name.substr(kCollection.size())).Build();
}

}  // namespace

std::string Operations::KeyPrefix(std::string_view tenant) {
  return KeyBuilder().String("operation").String(tenant).Build();
}

std::string Operations::Topic(std::string_view tenant, std::string_view name) {
  return KeyBuilder().String(tenant).String(name).Build();
}

bool Operations::HasEnded(const ReadTransaction& txn, std::string_view topic) {
  KeyParser parser(topic);
  const absl::StatusOr<std::string> tenant = parser.String();
  const absl::StatusOr<std::string> name = parser.String();
  if (!tenant.ok() || !name.ok()) return true;
  const absl::StatusOr<Operation> operation = Get(txn, *tenant, *name);
  return operation.ok() ? operation->done() : !absl::IsUnavailable(operation.status());
}

absl::StatusOr<external::longrunning::Operation> Operations::Begin(Transaction& txn, const CallContext& context,
                                                                   const google::protobuf::Message& metadata) const {
  const auto key_of = [&](const std::string& id) {
    return KeyPrefix(context.tenant) + KeyBuilder().String(id).Build();
  };
  HAPAX_ASSIGN_OR_RETURN(const std::string id, NewIdOf(ids_, "op", AllTables(txn), kTable, key_of));
  Operation operation;
  operation.set_name(std::string(kCollection) + id);
  Pack(metadata, *operation.mutable_metadata());
  PutRow(AllTables(txn), kTable, KeyOf(context.tenant, operation.name()), operation);
  return operation;
}

absl::Status Operations::Begin(Transaction& txn, const CallContext& context, const google::protobuf::Message& metadata,
                               google::protobuf::Message* reply) const {
  HAPAX_ASSIGN_OR_RETURN(const Operation operation, Begin(txn, context, metadata));
  const std::string type = PublicName(reply->GetDescriptor()->full_name());
  if (type == PublicName(Operation::descriptor()->full_name()) &&
      reply->ParseFromString(operation.SerializeAsString())) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("reply: is a ", type, "; an operation needs a google.longrunning.Operation"));
}

absl::Status Operations::Succeed(Transaction& txn, const std::string& tenant, const std::string& name,
                                 const google::protobuf::Message& response) const {
  HAPAX_ASSIGN_OR_RETURN(Operation operation, Get(txn, tenant, name));
  if (operation.done()) return absl::OkStatus();
  Pack(response, *operation.mutable_response());
  return End(txn, tenant, operation);
}

absl::Status Operations::Fail(Transaction& txn, const std::string& tenant, const std::string& name,
                              const absl::Status& error) const {
  HAPAX_ASSIGN_OR_RETURN(Operation operation, Get(txn, tenant, name));
  if (operation.done()) return absl::OkStatus();
  // The operation has ended, so the client must not be told to retry later.
  absl::Status final_error = error;
  final_error.ErasePayload("type.googleapis.com/google.rpc.RetryInfo");
  *operation.mutable_error() = ToRpcStatus(final_error);
  return End(txn, tenant, operation);
}

absl::Status Operations::End(Transaction& txn, const std::string& tenant, const Operation& ended) const {
  Operation operation = ended;
  operation.set_done(true);
  PutRow(AllTables(txn), kTable, KeyOf(tenant, operation.name()), operation);
  txn.OnCommit([this, topic = Topic(tenant, operation.name())] { waiters_.Notify(topic); });
  return absl::OkStatus();
}

absl::StatusOr<external::longrunning::Operation> Operations::Get(const ReadTransaction& txn, const std::string& tenant,
                                                                 const std::string& name) {
  std::optional<Operation> operation;
  if (name.starts_with(kCollection)) {
    HAPAX_ASSIGN_OR_RETURN(operation, GetRow<Operation>(AllTables(txn), kTable, KeyOf(tenant, name)));
  }
  if (operation.has_value()) return *std::move(operation);
  return RefuseValue(Reason::kOperationNotFound, "name", name, "must be the name of an operation of the tenant");
}

external::longrunning::Operation Operations::DamagedOperation(const std::string& id) {
  Operation operation;
  operation.set_name(std::string(kCollection) + id);
  *operation.mutable_error() = ToRpcStatus(Refuse(Reason::kTokenRecordCorrupt, "the operation's row is damaged"));
  return operation;
}

absl::StatusOr<std::string> Operations::Refresh(const CallContext& context, const ReadTransaction& txn,
                                                const std::string& recorded) {
  Operation operation;
  if (!operation.ParseFromString(recorded)) {
    return StoreError(absl::DataLossError("a recorded reply is not an operation"));
  }
  HAPAX_ASSIGN_OR_RETURN(operation, Get(txn, context.tenant, operation.name()));
  return operation.SerializeAsString();
}

}  // namespace hapax
