#ifndef HAPAX_CLIENT_CALL_CALLER_H_
#define HAPAX_CLIENT_CALL_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hapax/client/call/call_handle.h"
#include "hapax/client/call/raw_call.h"
#include "hapax/client/call/retry.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {

class CallsInFlight;

// Parses the reply. If that fails, the result is INTERNAL and not settled: there was an effect, but its reply is lost.
template <typename Reply>
[[nodiscard]] Result<Reply> ParseReply(Result<std::string> raw) {
  if (!raw.reply.ok()) return {.reply = raw.reply.status(), .info = std::move(raw.info)};
  Result<Reply> result{.reply = Reply(), .info = std::move(raw.info)};
  if (!result.reply->ParseFromString(*raw.reply)) {
    result.reply = absl::InternalError("the reply cannot be parsed");
    result.info.settled = false;
  }
  return result;
}

// The options of one call.
struct CallOptions {
  std::optional<RetryPolicy> retry;  // Replaces the caller's policy.
  std::string token;                 // Replaces a new token; a token in the request has precedence.
  // True: no token is made, and a call that may have had an effect is not retried.
  bool unprotected = false;
};

// Makes calls that take effect once however often they are attempted. Retries them while there is hope and time.
//
//   Caller caller(*Connect({.endpoint = "127.0.0.1:50051"}));
//   Result<RunInstancesResponse> launched = caller.Call<RunInstancesResponse>(*method, request);
//   if (launched.reply.ok()) Use(*launched.reply);
//
// A call of a method with an idempotency rule in its proto carries a token: the one in the request's token field, or
// else that of the options, or else a new UUID of version 7. All attempts have the same one. So after an open failure
// (UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED) the same call with `info.token` tells what happened.
//
// Call blocks its thread. Start does not: it hands the same result to a callback, so a few threads serve thousands of
// calls.
//
//   CallHandle launch = caller.Start<RunInstancesResponse>(*method, request, {}, [](Result<RunInstancesResponse> end) {
//     queue.Push(std::move(end));
//   });
//
// A callback is called once, on a thread of gRPC's or of the timers', never before Start or Cancel returns on theirs.
// It must not block: other calls wait for it. It may start calls, and must not destroy the Caller.
//
// Thread-safety: safe.
// Lifetime: timing outlives it. When it goes, it cancels the calls that were started, and returns when their callbacks
// have. A child that is forked off must not call with its parent's, and may let it go.
// Errors: the server's or the network's of the last attempt, with the details as payloads (ReasonOf reads the reason);
// DEADLINE_EXCEEDED when the time was over before an attempt ended; CANCELLED by a handle; INVALID_ARGUMENT, and
// nothing is sent, for a token that cannot be (C2); FAILED_PRECONDITION for a call whose token the server did not see
// (CallInfo::unprotected_reply), and, with nothing sent, in a forked child.
class Caller {
 public:
  struct Options {
    RetryPolicy retry;
    RetryBudget::Options budget;
  };
  explicit Caller(std::shared_ptr<Connection> connection) : Caller(std::move(connection), Options()) {}
  Caller(std::shared_ptr<Connection> connection, Options options, Timing& timing = SystemTiming());
  ~Caller();

  // `Reply` is the method's output type. Further errors: those of Prepare, and nothing was sent; INTERNAL for a reply
  // that cannot be parsed.
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options = {}) {
    const absl::StatusOr<RawCall> raw = Prepare(method, request, options, Reply::descriptor());
    if (!raw.ok()) return {.reply = raw.status(), .info = {.settled = true}};
    return ParseReply<Reply>(CallRaw(*raw, options.retry.value_or(options_.retry)));
  }

  // As Call, and returns at once. An error of Prepare is handed to `done`, too.
  template <typename Reply>
  CallHandle Start(const google::protobuf::MethodDescriptor& method, const google::protobuf::Message& request,
                   const CallOptions& options, absl::AnyInvocable<void(Result<Reply>) &&> done) {
    return StartPrepared(Prepare(method, request, options, Reply::descriptor()), options.retry.value_or(options_.retry),
                         [done = std::move(done)](Result<std::string> end) mutable {
                           std::move(done)(ParseReply<Reply>(std::move(end)));
                         });
  }

  // The call as CallRaw sends it, and as a journal keeps it: a token is in its place. INVALID_ARGUMENT when the request
  // is not of the method's type, or `reply` is given, and not the type of its replies; when the token cannot be (C2),
  // naming where it was given; or when no server takes the method, because it streams or its rule is wrong
  // (hapax/proto/token_field.h).
  [[nodiscard]] absl::StatusOr<RawCall> Prepare(const google::protobuf::MethodDescriptor& method,
                                                const google::protobuf::Message& request,
                                                const CallOptions& options = {},
                                                const google::protobuf::Descriptor* reply = nullptr);

  // Makes a call as bytes; only the method's name need be known.
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy);
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call) { return CallRaw(call, options_.retry); }

  // As CallRaw, and returns at once.
  CallHandle StartRaw(RawCall call, const RetryPolicy& policy, absl::AnyInvocable<void(Result<std::string>) &&> done) {
    return StartPrepared(std::move(call), policy, std::move(done));
  }
  // Starts what Prepare returned. An error of it is the call's end.
  CallHandle StartPrepared(absl::StatusOr<RawCall> call, const RetryPolicy& policy,
                           absl::AnyInvocable<void(Result<std::string>) &&> done);

  // Why the call would end before anything is sent: INVALID_ARGUMENT for a token that cannot be, FAILED_PRECONDITION in
  // a forked child. OK when an attempt would be made.
  [[nodiscard]] absl::Status CheckSendable(const RawCall& call) const;

  [[nodiscard]] const RetryPolicy& retry_policy() const { return options_.retry; }
  // The destination of calls.
  [[nodiscard]] Destination destination() const { return connection_->destination(); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Options options_;
  Timing& timing_;
  RetryBudget budget_;
  const std::unique_ptr<CallsInFlight> calls_;  // Goes first.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLER_H_
