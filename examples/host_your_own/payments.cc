#include "payments.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/hosting/listing.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "payments/v1/payments.pb.h"

namespace {

using hapax::CallContext;
using hapax::ReadTransaction;
using hapax::Table;
using hapax::Transaction;
using namespace payments::v1;

std::string AccountKey(const std::string& tenant, const std::string& account) {
  return hapax::KeyBuilder().String("account").String(tenant).String(account).Build();
}

// The keys of a tenant's charges begin with this.
std::string ChargePrefix(const std::string& tenant) {
  return hapax::KeyBuilder().String("charge").String(tenant).Build();
}

std::string ChargeKey(const std::string& tenant, const std::string& id) {
  return hapax::KeyBuilder().String("charge").String(tenant).String(id).Build();
}

constexpr hapax::OwnReason kLimitReached = {.domain = "payments.example.com", .reason = "ACCOUNT_LIMIT_REACHED"};
constexpr int64_t kMaxTotalCents = 1'000'000;

}  // namespace

std::unique_ptr<hapax::HostedService> MakePayments(hapax::IdSource& ids, hapax::WorkQueue& work) {
  auto payments =
      std::make_unique<hapax::HostedService>(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));

  payments->Mutation<ChargeRequest, ChargeResponse>(
      "Charge",
      [&ids, &work](const CallContext& context, Transaction& txn, const ChargeRequest& request,
                    ChargeResponse* response) -> absl::Status {
        if (request.account().empty()) return hapax::RefuseParameter("account", "is required");
        if (request.cents() < 1) return hapax::RefuseParameter("cents", "must be at least 1");
        const std::string key = AccountKey(context.tenant, request.account());
        HAPAX_ASSIGN_OR_RETURN(auto row, hapax::GetRow<Account>(txn, Table::kResources, key));
        Account account = row.value_or(Account());
        if (request.cents() > kMaxTotalCents - account.total_cents()) {
          return hapax::Refuse(kLimitReached, "the account would be charged more than its limit");
        }
        account.set_charges(account.charges() + 1);
        account.set_total_cents(account.total_cents() + request.cents());
        hapax::PutRow(txn, Table::kResources, key, account);

        const auto key_of = [&](const std::string& id) { return ChargeKey(context.tenant, id); };
        HAPAX_ASSIGN_OR_RETURN(const std::string id, hapax::NewIdOf(ids, "ch", txn, Table::kResources, key_of));
        Charge charge;
        charge.set_charge_id(id);
        charge.set_account(request.account());
        charge.set_cents(request.cents());
        *charge.mutable_create_time() = hapax::ToTimestamp(context.now);
        charge.set_receipt(RECEIPT_STATE_PENDING);
        hapax::PutRow(txn, Table::kResources, key_of(id), charge);

        ReceiptTask task;
        task.set_tenant(context.tenant);
        task.set_charge_id(id);
        task.set_cents(request.cents());
        HAPAX_RETURN_IF_ERROR(work.Schedule(txn, kReceiptWork, task.SerializeAsString()));

        response->set_charge_number(account.charges());
        response->set_total_cents(account.total_cents());
        response->set_charge_id(id);
        return absl::OkStatus();
      });

  payments->Read<GetAccountRequest, GetAccountResponse>(
      "GetAccount",
      [](const CallContext& context, const ReadTransaction& txn, const GetAccountRequest& request,
         GetAccountResponse* response) -> absl::Status {
        const std::string key = AccountKey(context.tenant, request.account());
        HAPAX_ASSIGN_OR_RETURN(auto row, hapax::GetRow<Account>(txn, Table::kResources, key));
        *response->mutable_account() = row.value_or(Account());
        return absl::OkStatus();
      },
      hapax::ReadLength::kShort);

  payments->Read<ListChargesRequest, ListChargesResponse>(
      "ListCharges",
      [](const CallContext& context, const ReadTransaction& txn, const ListChargesRequest& request,
         ListChargesResponse* response) -> absl::Status {
        const auto take = [&](const Charge& charge) {
          if (!request.account().empty() && charge.account() != request.account()) return false;
          *response->add_charges() = charge;
          return true;
        };
        const auto take_damaged = [&](const std::string& id) {
          response->add_charges()->set_charge_id(id);
          return true;
        };
        HAPAX_ASSIGN_OR_RETURN(auto page, hapax::Page::Of(request, context.page_token_key, context.tenant));
        HAPAX_ASSIGN_OR_RETURN(auto next, hapax::ListRows<Charge>(txn, Table::kResources, ChargePrefix(context.tenant),
                                                                  std::move(page), take, take_damaged));
        response->set_next_page_token(std::move(next));
        return absl::OkStatus();
      });
  return payments;
}

namespace {

class ReceiptDriver final : public hapax::WorkDriver {
 public:
  explicit ReceiptDriver(std::string directory) : directory_(std::move(directory)) {}

  // Disks take their time, so a thread of the driver writes the file.
  void Perform(const std::string& subject, Done done) override {
    threads_.Schedule([this, subject, done = std::move(done)]() mutable { done(Write(subject)); }, /*party=*/"");
  }

  absl::Status Complete(const std::string& subject, const absl::Status& result, Transaction& txn) override {
    ReceiptTask task;
    if (!task.ParseFromString(subject)) return absl::DataLossError("the subject is damaged");
    const std::string key = ChargeKey(task.tenant(), task.charge_id());
    HAPAX_ASSIGN_OR_RETURN(auto charge, hapax::GetRow<Charge>(txn, Table::kResources, key));
    if (!charge.has_value()) return absl::OkStatus();
    charge->set_receipt(result.ok() ? RECEIPT_STATE_WRITTEN : RECEIPT_STATE_FAILED);
    hapax::PutRow(txn, Table::kResources, key, *charge);
    return absl::OkStatus();
  }

 private:
  // Writes the same file each time that it is called for a subject.
  absl::Status Write(const std::string& subject) const {
    ReceiptTask task;
    if (!task.ParseFromString(subject)) return absl::OkStatus();  // Complete says what is wrong.
    const std::string path = directory_ + "/" + task.tenant() + "." + task.charge_id();
    if (std::error_code error; std::filesystem::is_directory(path, error)) {
      return absl::FailedPreconditionError(path + " is a directory");  // Final: Complete gets this error.
    }
    std::ofstream file(path);
    file << task.cents() << " cents\n";
    file.close();
    if (!file) return absl::UnavailableError("cannot write " + path);  // Tried again.
    return absl::OkStatus();
  }

  const std::string directory_;
  hapax::WorkerPool threads_{/*threads=*/2, /*max_waiting=*/0};  // The last member: it ends first.
};

}  // namespace

std::unique_ptr<hapax::WorkDriver> MakeReceiptDriver(std::string directory) {
  return std::make_unique<ReceiptDriver>(std::move(directory));
}
