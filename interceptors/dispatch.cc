#include "hapax/interceptors/dispatch.h"

#include <any>
#include <memory>
#include <utility>

#include "google/protobuf/message.h"
#include "hapax/interceptors/given_up.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

void Dispatch::Intercept(UnaryCall& call, Next /*next: this is the last link*/) {
  const Method& method = call.method();
  call.context.now = clock_.Now();
  call.context.page_token_key = page_token_key_;
  if (method.serve != nullptr) return method.serve(call);

  const std::shared_ptr<google::protobuf::Message> reply(method.reply->New());
  auto done = [&call, reply](absl::Status status) {
    if (!status.ok()) return call.Finish(ToRefusal(std::move(status)));
    call.Finish(reply->SerializeAsString());
  };
  if (method.read != nullptr) {
    store_.Query(
        [&call, reply](const ReadTransaction& txn) {
          reply->Clear();
          return call.method().read(call.context, txn, *call.request, reply.get());
        },
        std::move(done));
  } else {
    store_.Execute(
        [this, &call, reply](Transaction& txn) {
          if (absl::Status status = RefuseIfGivenUp(call, clock_.Now()); !status.ok()) return status;
          reply->Clear();
          return call.method().mutate(call.context, txn, *call.request, /*prepared=*/std::any(), reply.get());
        },
        std::move(done));
  }
}

}  // namespace hapax
