#include "hapax/server/operations/operations_service.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/hosting/listing.h"
#include "hapax/server/operations/operations.h"

namespace hapax {
namespace {

using external::longrunning::GetOperationRequest;
using external::longrunning::ListOperationsRequest;
using external::longrunning::ListOperationsResponse;
using external::longrunning::Operation;
using external::longrunning::WaitOperationRequest;

// A waiting call is answered this long before its deadline, so that the answer arrives in time.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(100);

absl::Status GetOperation(const CallContext& context, const ReadTransaction& txn, const GetOperationRequest& request,
                          Operation* response) {
  HAPAX_ASSIGN_OR_RETURN(*response, Operations::Get(txn, context.tenant, request.name()));
  return absl::OkStatus();
}

absl::Status ListOperations(const CallContext& context, const ReadTransaction& txn,
                            const ListOperationsRequest& request, ListOperationsResponse* response) {
  if (!request.name().empty() && request.name() != "operations") {
    return RefuseParameter("name", "must be operations, or empty");
  }
  const bool only_done = request.filter() == "done = true" || request.filter() == "done=true";
  const bool only_open = request.filter() == "done = false" || request.filter() == "done=false";
  if (!request.filter().empty() && !only_done && !only_open) {
    return RefuseParameter("filter", "must be \"done = true\", \"done = false\", or empty");
  }
  HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, context.page_token_key, context.tenant));
  HAPAX_ASSIGN_OR_RETURN(*response->mutable_next_page_token(),
                         ListRows<Operation>(
                             txn, Table::kOperations, Operations::KeyPrefix(context.tenant), page,
                             [&](const Operation& operation) {
                               if (operation.done() ? only_open : only_done) return false;
                               *response->add_operations() = operation;
                               return true;
                             },
                             [&](const std::string& id) {
                               if (only_open || only_done) return false;
                               *response->add_operations() = Operations::DamagedOperation(id);
                               return true;
                             }));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Time> AnswerBy(const WaitOperationRequest& request, absl::Time deadline, absl::Time now) {
  absl::Time answer_by = absl::InfiniteFuture();
  if (request.has_timeout()) {
    const absl::Duration timeout = FromProtoDuration(request.timeout());
    if (timeout < absl::ZeroDuration()) return RefuseParameter("timeout", "must not be negative");
    answer_by = now + timeout;
  }
  if (deadline == absl::InfiniteFuture()) return answer_by;
  const absl::Duration left = deadline - now;
  return std::min(answer_by, deadline - std::min(kAnswerMargin, left / 2));
}

OperationsService::OperationsService(Store& store, OperationWaiters& waiters, absl::Duration check_interval)
    : store_(store), waiters_(waiters) {
  if (check_interval == absl::InfiniteDuration()) return;
  waiters.CheckEvery(check_interval, [&store, &waiters](std::vector<std::string> topics) {
    const auto ended = std::make_shared<std::vector<std::string>>();
    store.Query(
        [topics = std::move(topics), ended](const ReadTransaction& txn) {
          ended->clear();
          std::copy_if(topics.begin(), topics.end(), std::back_inserter(*ended),
                       [&](const std::string& topic) { return Operations::HasEnded(txn, topic); });
          return absl::OkStatus();
        },
        [&waiters, ended](const absl::Status& status) {
          if (!status.ok()) return;
          for (const std::string& topic : *ended) waiters.Notify(topic);
        });
  });
}

std::unique_ptr<HostedService> OperationsService::Host() const {
  const auto& descriptor = *GetOperationRequest::descriptor()->file()->FindServiceByName("Operations");
  auto service = std::make_unique<HostedService>(descriptor, HostedService::Reach::kAll);
  service->Read<GetOperationRequest, Operation>("GetOperation", GetOperation, ReadLength::kShort);
  service->Read<ListOperationsRequest, ListOperationsResponse>("ListOperations", ListOperations);
  service->Serve<WaitOperationRequest, Operation>(
      "WaitOperation", [this](UnaryCall& call, const WaitOperationRequest& request) { Wait(call, request); });
  return service;
}

// A waiting call, until it is answered.
struct OperationsService::Waiting {
  UnaryCall& call;
  const std::string tenant;
  const std::string name;
  const absl::Time answer_by;
  Operation operation;  // As last read.
};

// Reads the operation, and waits unless it is done.
void OperationsService::Wait(UnaryCall& call, const WaitOperationRequest& request) const {
  const absl::StatusOr<absl::Time> answer_by = AnswerBy(request, call.deadline(), absl::Now());
  if (!answer_by.ok()) return call.Finish(answer_by.status());
  const WaitingPtr waiting(
      new Waiting{.call = call, .tenant = call.context.tenant, .name = request.name(), .answer_by = *answer_by});
  Read(waiting, [this, waiting](absl::Status status) {
    if (!status.ok()) return waiting->call.Finish(ToRefusal(std::move(status)));
    if (waiting->operation.done()) return waiting->call.Finish(waiting->operation.SerializeAsString());
    Park(waiting);
  });
}

void OperationsService::Park(const WaitingPtr& waiting) const {
  const std::string topic = Operations::Topic(waiting->tenant, waiting->name);
  const auto again = std::make_shared<Waiting>(*waiting);
  const bool parked = waiters_.Add(
      topic, waiting->answer_by, [waiting] { return waiting->call.IsCancelled(); },
      [this, waiting] { Answer(waiting); });
  if (!parked) {
    waiting->call.Finish(Refuse(Reason::kOverloaded, "too many calls are waiting for operations"));
    return;
  }
  // The operation may have ended between reading it and adding the waiter. The call may be gone by now.
  Read(again, [this, again, topic](const absl::Status& status) {
    if (!status.ok() || again->operation.done()) waiters_.Notify(topic);
  });
}

void OperationsService::Answer(const WaitingPtr& waiting) const {
  Read(waiting, [waiting](absl::Status status) {
    if (!status.ok()) return waiting->call.Finish(ToRefusal(std::move(status)));
    waiting->call.Finish(waiting->operation.SerializeAsString());
  });
}

void OperationsService::Read(const WaitingPtr& waiting, absl::AnyInvocable<void(absl::Status) &&> then) const {
  store_.Query(
      [waiting](const ReadTransaction& txn) -> absl::Status {
        HAPAX_ASSIGN_OR_RETURN(waiting->operation, Operations::Get(txn, waiting->tenant, waiting->name));
        return absl::OkStatus();
      },
      std::move(then));
}

}  // namespace hapax
