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

// What became of a mutating call, as the server says it (`hapax-outcome`).
enum class Outcome {
  kUnknown,      // The server does not say: a read, or a server that is not Hapax.
  kExecuted,     // An attempt of this call made the effect.
  kReplayed,     // The effect was made before; this is the reply of that time.
  kUnprotected,  // An effect was made, and the server saw no token.
};
// `executed`, `replayed`, `unprotected`, or empty.
[[nodiscard]] std::string OutcomeName(Outcome outcome);

// What is known of a call besides its reply; also of one that failed.
struct CallInfo {
  std::string token;  // Empty: the call carried none.
  Outcome outcome = Outcome::kUnknown;
  int attempts = 0;
  // With a reply: true. With an error: whether it is sure that no effect comes of this call any more. Else an attempt
  // that was not answered may have made one, or may yet; the same call with the same token tells. (Two answers are both
  // settled and no proof that there never was an effect: CLIENT_TOKEN_EXPIRED, for nobody can tell any more; and one
  // that was unprotected, for which see `unprotected_reply`.)
  bool settled = false;
  // With an error: what the server said of another attempt, in its last answer.
  Verdict verdict = Verdict::kUnsaid;
  // The reply's bytes, of a call that carried a token and that the server says it executed `unprotected`: it did not
  // see the token. The call's end is FAILED_PRECONDITION then, and nothing may repeat it, for that would be a second
  // effect.
  std::optional<std::string> unprotected_reply;
};

// A call as bytes, for methods whose messages are not at hand.
struct RawCall {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  std::string token;  // Empty for none.
  // Whether the token is in the request already; if not, it goes as metadata `x-client-token`.
  bool token_in_request = false;
  // Whether another attempt does no harm: because of the token, or because the method changes nothing.
  bool retryable = true;
  // Whether attempts were made before that nobody knows the ends of: then a refusal of this one settles nothing that
  // they may still do.
  bool attempted_before = false;
};

// A call's reply, or its error, and what is known of it in either case.
template <typename Reply>
struct Result {
  absl::StatusOr<Reply> reply;
  CallInfo info;
};

// The reply as a message. INTERNAL, and not settled, when it is not one: there was an effect, and what is known of it
// was lost.
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

// How one call differs from the others of its Caller.
struct CallOptions {
  std::optional<RetryPolicy> retry;  // In place of the caller's.
  std::string token;                 // In place of a new one; the request's own goes before.
  // True: no token is made, and a call that may have had an effect is not retried.
  bool unprotected = false;
};

// Makes calls, each of which takes effect once however often it is attempted, and retries them as long as there is hope
// and time.
//
//   Caller caller(*Connect({.endpoint = "127.0.0.1:50051"}));
//   Result<RunInstancesResponse> launched = caller.Call<RunInstancesResponse>(*method, request);
//   if (launched.reply.ok()) Use(*launched.reply);
//
// A call of a method whose proto declares an idempotency rule carries a token: the one in the request's token field,
// else that of the options, else a new UUID of version 7; the same one in every attempt. So after a failure that leaves
// the outcome open (UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED) the same call with `info.token` tells what became of it.
//
// Thread-safety: safe. A call blocks its thread.
// Lifetime: timing outlives it.
// Errors: the server's or the network's of the last attempt, with the details as payloads (ReasonOf reads the reason);
// DEADLINE_EXCEEDED when the time was over before an attempt ended; INVALID_ARGUMENT, and nothing is sent, for a token
// that cannot be; FAILED_PRECONDITION for a call whose token the server did not see (CallInfo::unprotected_reply).
class Caller {
 public:
  struct Options {
    RetryPolicy retry;
    RetryBudget::Options budget;
  };
  explicit Caller(std::shared_ptr<Connection> connection) : Caller(std::move(connection), Options()) {}
  Caller(std::shared_ptr<Connection> connection, Options options, Timing& timing = SystemTiming());

  // `Reply` is the method's output type. Errors, besides: those of Prepare, and nothing is sent; INTERNAL for a reply
  // that cannot be parsed.
  template <typename Reply>
  [[nodiscard]] Result<Reply> Call(const google::protobuf::MethodDescriptor& method,
                                   const google::protobuf::Message& request, const CallOptions& options = {}) {
    const absl::StatusOr<RawCall> raw = Prepare(method, request, options, Reply::descriptor());
    if (!raw.ok()) return {.reply = raw.status(), .info = {.settled = true}};
    return ParseReply<Reply>(CallRaw(*raw, options.retry.value_or(options_.retry)));
  }

  // The call as CallRaw sends it, and as a journal keeps it: a token is in its place. INVALID_ARGUMENT when the request
  // is not of the method's type, or `reply` is given, and not the type of its replies; or when no server takes the
  // method, because it streams or its rule is wrong (hapax/proto/token_field.h).
  [[nodiscard]] absl::StatusOr<RawCall> Prepare(const google::protobuf::MethodDescriptor& method,
                                                const google::protobuf::Message& request,
                                                const CallOptions& options = {},
                                                const google::protobuf::Descriptor* reply = nullptr);

  // A call as bytes: nothing of the method but its name need be known.
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call, const RetryPolicy& policy);
  [[nodiscard]] Result<std::string> CallRaw(const RawCall& call) { return CallRaw(call, options_.retry); }

  [[nodiscard]] const RetryPolicy& retry_policy() const { return options_.retry; }
  // Where calls go.
  [[nodiscard]] Destination destination() const { return connection_->destination(); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Options options_;
  Timing& timing_;
  RetryBudget budget_;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_CALLER_H_
