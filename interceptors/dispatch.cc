#include "hapax/interceptors/dispatch.h"

#include <any>
#include <memory>
#include <utility>

#include "google/protobuf/message.h"
#include "hapax/interceptors/given_up.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

namespace {

constexpr int kListReaders = 2;
constexpr size_t kMaxWaitingLists = 1000;

auto FinishWith(UnaryCall& call, std::shared_ptr<google::protobuf::Message> reply) {
  return [&call, reply = std::move(reply)](absl::Status status) {
    if (!status.ok()) return call.Finish(ToRefusal(std::move(status)));
    call.Finish(reply->SerializeAsString());
  };
}

}  // namespace

Dispatch::Dispatch(Store& store, const Clock& clock, std::string page_token_key)
    : store_(store),
      clock_(clock),
      page_token_key_(std::move(page_token_key)),
      list_readers_(kListReaders, kMaxWaitingLists) {}

void Dispatch::Intercept(UnaryCall& call, Next /*next: this is the last link*/) {
  const Method& method = call.method();
  call.context.now = clock_.Now();
  call.context.page_token_key = page_token_key_;
  if (method.serve != nullptr) return method.serve(call);
  if (method.read == nullptr) return Mutate(call);
  if (!method.lists) return Read(call);
  WorkerPool::Work work = [this, &call] { Read(call); };
  if (!list_readers_.TrySchedule(work, call.context.tenant))
    call.Finish(Refuse(Reason::kOverloaded, "too many lists are waiting to be read"));
}

void Dispatch::Read(UnaryCall& call) {
  const std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  store_.Query(
      [&call, reply](const ReadTransaction& txn) {
        reply->Clear();
        return HandlersError(call.method().read(call.context, txn, *call.request, reply.get()));
      },
      FinishWith(call, reply));
}

void Dispatch::Mutate(UnaryCall& call) {
  const std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  store_.Execute(
      [this, &call, reply](Transaction& txn) {
        if (absl::Status status = RefuseIfGivenUp(call, clock_.Now()); !status.ok()) return status;
        reply->Clear();
        return HandlersError(
            call.method().mutate(call.context, txn, *call.request, /*prepared=*/std::any(), reply.get()));
      },
      FinishWith(call, reply), call.context.tenant);
}

}  // namespace hapax
