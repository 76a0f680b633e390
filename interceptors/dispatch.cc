#include "hapax/interceptors/dispatch.h"

#include <any>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "hapax/base/message_check.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/execute.h"
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
  if (method.stream != nullptr) return SendNext(std::make_shared<Stream>(call));
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

// A streaming call between two messages.
struct Dispatch::Stream {
  explicit Stream(UnaryCall& its_call) : call(its_call), message(call.method().reply->New()) {}

  UnaryCall& call;
  const std::unique_ptr<google::protobuf::Message> message;
  std::string cursor;
  // Results of the last run of the body, which may run again.
  std::string next_cursor;
  bool has_message = false;
  std::string bytes;
};

// The next message is read once the last one has been sent, so no thread waits for the client.
void Dispatch::SendNext(std::shared_ptr<Stream> stream) const {
  UnaryCall& call = stream->call;
  const auto read = [this, stream](const ReadTransaction& txn) -> absl::Status {
    const UnaryCall& its_call = stream->call;
    HAPAX_RETURN_IF_ERROR(RefuseIfGivenUp(its_call, clock_.Now()));
    stream->message->Clear();
    stream->next_cursor = stream->cursor;
    const absl::StatusOr<bool> has_message =
        its_call.method().stream(its_call.context, txn, *its_call.request, &stream->next_cursor, stream->message.get());
    if (!has_message.ok()) return HandlersError(has_message.status());
    stream->has_message = *has_message;
    if (!stream->has_message) return absl::OkStatus();
    HAPAX_ASSIGN_OR_RETURN(stream->bytes, Serialize(*stream->message));
    if (stream->bytes.size() <= kMaxPartBytes) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("a message of the stream has ", stream->bytes.size(), " bytes; at most ",
                                            kMaxPartBytes, " are allowed"));
  };
  reads_.QueryPart(call, read, [this, stream](absl::Status status) {
    if (!status.ok()) return stream->call.Finish(ToRefusal(std::move(status)));
    if (!stream->has_message) return stream->call.Finish(std::string());
    stream->cursor = stream->next_cursor;
    stream->call.SendPart(std::move(stream->bytes), [this, stream](bool ok) {
      if (ok) return SendNext(stream);
      stream->call.Finish(Refuse(Reason::kCancelled, "the client takes no more messages"));
    });
  });
}

void Dispatch::Mutate(UnaryCall& call) {
  const std::shared_ptr<google::protobuf::Message> reply(call.method().reply->New());
  ExecuteFor(
      call, store_,
      [this, &call, reply](Transaction& txn) -> absl::Status {
        HAPAX_RETURN_IF_ERROR(RefuseIfGivenUp(call, clock_.Now()));
        HAPAX_RETURN_IF_ERROR(RefuseWithoutReplyRoom(call));
        reply->Clear();
        return HandlersError(
            call.method().mutate(call.context, txn, *call.request, /*prepared=*/std::any(), reply.get()));
      },
      FinishWith(call, reply));
}

}  // namespace hapax
