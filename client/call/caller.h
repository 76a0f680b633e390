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

// Parses the reply. If that fails, the result is INTERNAL and not settled: the effect was made, but its reply is lost.
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
  std::string token;                 // Replaces a new token. A token in the request has precedence.
  // True: the call gets no token, and is not retried if it may have had an effect.
  bool unprotected = false;
};

// Makes calls that take effect once, however often they are attempted. It retries while the error allows and the
// timeout lasts.
//
//   Caller caller(*Connect({.endpoint = "127.0.0.1:50051"}));
//   Result<RunInstancesResponse> launched = caller.Call<RunInstancesResponse>(*method, request);
//   if (launched.reply.ok()) Use(*launched.reply);
//
// A call carries a token if its method has an idempotency rule in the proto. The token comes from the request's token
// field, or else from the options, or else is a new UUID of version 7. All attempts carry the same token. So after an
// open failure (UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED) the same call with `info.token` tells what happened.
//
// Call blocks its thread. Start does not: it passes the same result to a callback, so a few threads serve thousands of
// calls.
//
//   CallHandle launch = caller.Start<RunInstancesResponse>(*method, request, {}, [](Result<RunInstancesResponse> end) {
//     queue.Push(std::move(end));
//   });
//
// A callback runs once, on a gRPC thread or the timer thread, but never on the caller's thread before Start or Cancel
// returns. It must not block, since other calls wait for it. It may start calls, but must not destroy the Caller.
//
// Thread-safety: safe.
// Lifetime: timing outlives it. Its destructor cancels the started calls, and returns when their callbacks have. A
// forked child must not call with its parent's Caller, but may destroy it.
// Errors: the server's or the network's of the last attempt, with the details as payloads (ReasonOf reads the reason).
// DEADLINE_EXCEEDED: the time was over before an attempt ended. CANCELLED: a handle cancelled the call.
// INVALID_ARGUMENT, and nothing is sent: the token is invalid (C2).
// FAILED_PRECONDITION: the server did not see the call's token (CallInfo::unprotected_reply); or, and nothing is sent,
// in a forked child.
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

  // Like Call, but returns at once. `done` also receives an error of Prepare.
  template <typename Reply>
  CallHandle Start(const google::protobuf::MethodDescriptor& method, const google::protobuf::Message& request,
                   const CallOptions& options, absl::AnyInvocable<void(Result<Reply>) &&> done) {
    return StartPrepared(Prepare(method, request, options, Reply::descriptor()), options.retry.value_or(options_.retry),
                         [done = std::move(done)](Result<std::string> end) mutable {
                           std::move(done)(ParseReply<Reply>(std::move(end)));
                         });
  }

  // Returns the call as CallRaw sends it and a journal keeps it, with the token in place. Errors: INVALID_ARGUMENT if
  // - the request or `reply`, if given, is not of the method's type;
  // - the token is invalid (C2); the message names where the token was given;
  // - no server accepts the method, because it streams or its rule is wrong (hapax/proto/token_field.h).
  [[nodiscard]] absl::StatusOr<RawCall> Prepare(const google::protobuf::MethodDescriptor& method,
                                                const google::protobuf::Message& request,
                                                const CallOptions& options = {},
                                                const google::protobuf::Descriptor* reply = nullptr);

  // Makes a call from bytes. Only the name of the method needs to be known.
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy);
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call) { return CallRaw(call, options_.retry); }

  // Like CallRaw, but returns at once.
  CallHandle StartRaw(RawCall call, const RetryPolicy& policy, absl::AnyInvocable<void(Result<std::string>) &&> done) {
    return StartPrepared(std::move(call), policy, std::move(done));
  }
  // Starts the call that Prepare returned. An error of Prepare is its result.
  CallHandle StartPrepared(absl::StatusOr<RawCall> call, const RetryPolicy& policy,
                           absl::AnyInvocable<void(Result<std::string>) &&> done);

  // Returns OK if an attempt would be made. INVALID_ARGUMENT: the token is invalid. FAILED_PRECONDITION: this is a
  // forked child.
  [[nodiscard]] absl::Status CheckSendable(const RawCall& call) const;

  [[nodiscard]] const RetryPolicy& retry_policy() const { return options_.retry; }
  // The destination of calls.
  [[nodiscard]] Destination destination() const { return connection_->destination(); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Options options_;
  Timing& timing_;
  RetryBudget budget_;
  const std::unique_ptr<CallsInFlight> calls_;  // Destroyed first.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLER_H_
