#include "provisioner.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "google/longrunning/operations.pb.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "provision/v1/provision.pb.h"

namespace {

using google::longrunning::Operation;
using hapax::CallContext;
using hapax::Table;
using namespace provision::v1;

std::string DatabaseKey(const std::string& tenant, const std::string& name) {
  return hapax::KeyBuilder().String("database").String(tenant).String(name).Build();
}

bool IsName(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), is_letter);
}

class Provisioner {
 public:
  Provisioner(hapax::WorkQueue& work, const hapax::Operations& operations) : work_(work), operations_(operations) {}

  // Row, operation and work are one commit with the token's record. Nothing is made yet.
  absl::Status CreateDatabase(const CallContext& context, hapax::Transaction& txn, const CreateDatabaseRequest& request,
                              Operation* operation) const {
    if (!IsName(request.name())) return hapax::RefuseParameter("name", "must be 1 to 32 lower-case letters");
    const std::string key = DatabaseKey(context.tenant, request.name());
    HAPAX_ASSIGN_OR_RETURN(const auto known, hapax::GetRow<Database>(txn, Table::kResources, key));
    if (known.has_value()) return absl::AlreadyExistsError("there is a database of this name");
    CreateDatabaseMetadata metadata;
    metadata.set_name(request.name());
    HAPAX_RETURN_IF_ERROR(operations_.Begin(txn, context, metadata, operation));
    CreateDatabaseTask task;
    task.set_tenant(context.tenant);
    task.set_name(request.name());
    task.set_operation(operation->name());
    HAPAX_RETURN_IF_ERROR(work_.Schedule(txn, kCreateWork, task.SerializeAsString()));
    Database database;
    database.set_name(request.name());
    database.set_state(DATABASE_STATE_CREATING);
    hapax::PutRow(txn, Table::kResources, key, database);
    return absl::OkStatus();
  }

  static absl::Status GetDatabase(const CallContext& context, const hapax::ReadTransaction& txn,
                                  const GetDatabaseRequest& request, GetDatabaseResponse* response) {
    HAPAX_ASSIGN_OR_RETURN(
        auto database, hapax::GetRow<Database>(txn, Table::kResources, DatabaseKey(context.tenant, request.name())));
    if (!database.has_value()) return absl::NotFoundError("there is no database of this name");
    *response->mutable_database() = *std::move(database);
    return absl::OkStatus();
  }

 private:
  hapax::WorkQueue& work_;
  const hapax::Operations& operations_;
};

// Makes a database's directory on the disk, and ends its operation.
class CreateDriver final : public hapax::WorkDriver {
 public:
  CreateDriver(std::string disk, const hapax::Operations& operations)
      : disk_(std::move(disk)), operations_(operations) {}

  // Disks take their time, so it is done on a thread of the driver's own.
  void Perform(const std::string& subject, Done done) override {
    threads_.Schedule([this, subject, done = std::move(done)]() mutable { done(Make(subject)); }, /*party=*/"");
  }

  absl::Status Complete(const std::string& subject, const absl::Status& result, hapax::Transaction& txn) override {
    CreateDatabaseTask task;
    if (!task.ParseFromString(subject)) return absl::DataLossError("the subject is damaged");
    Database database;
    database.set_name(task.name());
    database.set_state(result.ok() ? DATABASE_STATE_READY : DATABASE_STATE_FAILED);
    hapax::PutRow(txn, Table::kResources, DatabaseKey(task.tenant(), task.name()), database);
    if (!result.ok()) return operations_.Fail(txn, task.tenant(), task.operation(), result);
    return operations_.Succeed(txn, task.tenant(), task.operation(), database);
  }

 private:
  // A directory that is there already was made by an earlier call for the same subject.
  absl::Status Make(const std::string& subject) const {
    CreateDatabaseTask task;
    if (!task.ParseFromString(subject)) return absl::OkStatus();  // Complete says what is wrong.
    const std::string path = disk_ + "/" + task.tenant() + "." + task.name();
    if (mkdir(path.c_str(), S_IRWXU) == 0) return absl::OkStatus();
    if (errno != EEXIST) return absl::UnavailableError(path + ": " + std::strerror(errno));  // Tried again.
    struct stat found = {};
    if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return absl::OkStatus();
    return absl::FailedPreconditionError("something else is in the database's place");  // Ends the operation.
  }

  const std::string disk_;
  const hapax::Operations& operations_;
  hapax::WorkerPool threads_{/*threads=*/2, /*max_waiting=*/0};  // The last member: it ends first.
};

}  // namespace

std::unique_ptr<hapax::HostedService> MakeProvisioner(hapax::WorkQueue& work, const hapax::Operations& operations) {
  auto hosted = std::make_unique<hapax::HostedService>(
      *CreateDatabaseRequest::descriptor()->file()->FindServiceByName("Provisioner"));
  hosted->SetOperationRefresher(hapax::Operations::Refresh);
  hosted->Mutation<CreateDatabaseRequest, Operation>(
      "CreateDatabase", [provisioner = Provisioner(work, operations)](
                            const CallContext& context, hapax::Transaction& txn, const CreateDatabaseRequest& request,
                            Operation* reply) { return provisioner.CreateDatabase(context, txn, request, reply); });
  hosted->Read<GetDatabaseRequest, GetDatabaseResponse>("GetDatabase", Provisioner::GetDatabase);
  return hosted;
}

std::unique_ptr<hapax::WorkDriver> MakeCreateDriver(std::string disk, const hapax::Operations& operations) {
  return std::make_unique<CreateDriver>(std::move(disk), operations);
}
