#include "hapax/interceptors/dispatch.h"

#include <any>
#include <memory>
#include <utility>

#include "google/protobuf/message.h"
#include "hapax/base/message_check.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/given_up.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/reply_room.h"

namespace hapax {

namespace {

auto FinishWith(UnaryCall& call, std::shared_ptr<google::protobuf::Message> reply) {
  return [&call, reply = std::move(reply)](absl::Status status) {
    if (!status.ok()) return call.Finish(ToRefusal(std::move(status)));
    absl::StatusOr<std::string> bytes = Serialize(*reply);
    if (!bytes.ok()) return call.Finish(ToRefusal(bytes.status()));
    call.Finish(*std::move(bytes));
  };
}

}  // namespace

void Dispatch::Intercept(UnaryCall& call, Next /*next: this is the last link*/) {
  const Method& method = call.method();
  if (method.serve != nullptr) return method.serve(call);
  if (method.read == nullptr) return Mutate(call);
  Read(call);
}

void Dispatch::Read(UnaryCall& call) const {
  const std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  Store::ReadBody body = [this, &call, reply](const ReadTransaction& txn) -> absl::Status {
    HAPAX_RETURN_IF_ERROR(RefuseIfGivenUp(call, clock_.Now()));
    reply->Clear();
    return HandlersError(call.method().read(call.context, txn, *call.request, reply.get()));
  };
  if (call.method().is_long_read) return reads_.QueryLong(call, std::move(body), FinishWith(call, reply));
  reads_.Query(call, std::move(body), FinishWith(call, reply));
}

void Dispatch::Mutate(UnaryCall& call) {
  const std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  store_.Execute(
      [this, &call, reply](Transaction& txn) -> absl::Status {
        HAPAX_RETURN_IF_ERROR(RefuseIfGivenUp(call, clock_.Now()));
        HAPAX_RETURN_IF_ERROR(RefuseWithoutReplyRoom(call));
        reply->Clear();
        return HandlersError(
            call.method().mutate(call.context, txn, *call.request, /*prepared=*/std::any(), reply.get()));
      },
      FinishWith(call, reply), call.context.tenant);
}

}  // namespace hapax
