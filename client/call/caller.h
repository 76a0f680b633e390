#ifndef HAPAX_CLIENT_CALL_CALLER_H_
#define HAPAX_CLIENT_CALL_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hapax/client/call/retry.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {

// The outcome of a mutating call, as the server reports it (`hapax-outcome`).
enum class Outcome {
  kUnknown,      // The server does not say: a read, or a server other than Hapax.
  kExecuted,     // An attempt of this call made the effect.
  kReplayed,     // The effect was made before; this is the first reply.
  kUnprotected,  // The effect was made, and the server saw no token.
};
// Returns `executed`, `replayed`, `unprotected`, or an empty string.
[[nodiscard]] std::string OutcomeName(Outcome outcome);

// What is known of a call besides its reply; also for a call that failed.
struct CallInfo {
  std::string token;  // Empty: the call carried no token.
  Outcome outcome = Outcome::kUnknown;
  int attempts = 0;
  // True with a reply. With an error: whether it is certain that the call has no effect, now or later. If false, an
  // attempt without an answer may have had an effect or may still have one; the same call with the same token finds
  // out.
  //
  // Two answers are settled although there may have been an effect: CLIENT_TOKEN_EXPIRED, since nobody can tell any
  // more, and an unprotected execution (see `unprotected_reply`).
  bool settled = false;
  // With an error: the server's last verdict on another attempt.
  Verdict verdict = Verdict::kUnsaid;
  // The reply's bytes of a call with a token that the server executed `unprotected`: it did not see the token. Then the
  // call ends with FAILED_PRECONDITION, and must not be repeated, since that would be a second effect.
  std::optional<std::string> unprotected_reply;
};

// A call as bytes, for methods whose message types are not available.
struct RawCall {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  std::string token;  // Empty: no token.
  // Whether the request contains the token. If not, it is sent as metadata `x-client-token`.
  bool token_in_request = false;
  // Whether another attempt is harmless: because of the token, or because the method changes nothing.
  bool retryable = true;
  // Whether there were earlier attempts whose ends are unknown. Then a refusal of this call does not settle them.
  bool attempted_before = false;
};

// A call's reply or error, and what is known of the call.
template <typename Reply>
struct Result {
  absl::StatusOr<Reply> reply;
  CallInfo info;
};

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
// Thread-safety: safe. A call blocks its thread.
// Lifetime: timing outlives it.
// Errors: that of the last attempt, from the server or the network, with details as payloads (ReasonOf reads the
// reason); DEADLINE_EXCEEDED, the time was over before an attempt ended; INVALID_ARGUMENT, the token is invalid, and
// nothing was sent; FAILED_PRECONDITION, the server did not see the token (CallInfo::unprotected_reply).
class Caller {
 public:
  struct Options {
    RetryPolicy retry;
    RetryBudget::Options budget;
  };
  explicit Caller(std::shared_ptr<Connection> connection) : Caller(std::move(connection), Options()) {}
  Caller(std::shared_ptr<Connection> connection, Options options, Timing& timing = SystemTiming());

  // `Reply` is the method's output type. Further errors: those of Prepare, and nothing was sent; INTERNAL for a reply
  // that cannot be parsed.
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options = {}) {
    const absl::StatusOr<RawCall> raw = Prepare(method, request, options, Reply::descriptor());
    if (!raw.ok()) return {.reply = raw.status(), .info = {.settled = true}};
    return ParseReply<Reply>(CallRaw(*raw, options.retry.value_or(options_.retry)));
  }

  // Makes the call that CallRaw sends and a journal stores: its token is in place.
  // Errors: INVALID_ARGUMENT, the request is not of the method's type, or `reply` is given and not of the type of its
  // replies; or no server accepts the method, because it streams or its rule is wrong (hapax/proto/token_field.h).
  [[nodiscard]] absl::StatusOr<RawCall> Prepare(const google::protobuf::MethodDescriptor& method,
                                                const google::protobuf::Message& request,
                                                const CallOptions& options = {},
                                                const google::protobuf::Descriptor* reply = nullptr);

  // Makes a call as bytes; only the method's name need be known.
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy);
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call) { return CallRaw(call, options_.retry); }

  [[nodiscard]] const RetryPolicy& retry_policy() const { return options_.retry; }
  // The destination of calls.
  [[nodiscard]] Destination destination() const { return connection_->destination(); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Options options_;
  Timing& timing_;
  RetryBudget budget_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLER_H_
