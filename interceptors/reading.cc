#include "hapax/interceptors/reading.h"

#include <memory>
#include <utility>

#include "google/protobuf/message.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

void Reading::Intercept(UnaryCall& call, Next /*next: this is the last link*/) {
  std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  store_.Query(
      [&call, reply](const ReadTransaction& txn) {
        reply->Clear();
        return call.method().read(call.context, txn, *call.request, reply.get());
      },
      [&call, reply](absl::Status status) {
        if (!status.ok()) {
          call.Finish(RefuseForStore(std::move(status)));
        } else {
          call.Finish(reply->SerializeAsString());
        }
      });
}

}  // namespace hapax
