#ifndef HAPAX_INTERCEPTORS_CALL_H_
#define HAPAX_INTERCEPTORS_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/call_info.h"
#include "hapax/interceptors/method.h"
#include "hapax/interceptors/principal.h"
#include "hapax/interceptors/turns.h"

namespace hapax {

class MessageBudget;

// What became of a mutating call that succeeded, as response metadata `hapax-outcome` says it (C26).
enum class Outcome {
  kExecuted,     // This attempt made the effect.
  kReplayed,     // The reply comes from the token's record.
  kUnprotected,  // It made an effect, and no token was given.
};

// `executed`, `replayed` or `unprotected`.
[[nodiscard]] std::string_view WireName(Outcome outcome);

// One attempt of a unary call on its way through the chain, over bytes: what arrived, what the
// interceptors found out about it, and its one end.
//
// Guarantees: Finish is called once, by whoever ends the call.
// Thread-safety: for one interceptor at a time; IsCancelled from any thread.
// Lifetime: it may be gone as soon as Finish is called.
class UnaryCall : public CallInfo {
 public:
  // Looks at how the call ended, before the reply is sent.
  using FinishHook = absl::AnyInvocable<void(UnaryCall&, const absl::StatusOr<std::string>&)>;

  explicit UnaryCall(const Method& method) : method_(method) {}
  ~UnaryCall() override = default;
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  // What arrived.
  [[nodiscard]] const Method& method() const { return method_; }
  [[nodiscard]] virtual std::string_view request_bytes() const = 0;
  // False until ReceiveRequest went on, and when the call ended without a request; an empty one is one.
  [[nodiscard]] virtual bool has_request() const { return true; }
  // Why the request that came is none, in gRPC's terms; OK when it is one, and when none came.
  [[nodiscard]] virtual absl::Status request_fault() const { return absl::OkStatus(); }

  // Asks the client for the request, and goes on once it is there, or is known not to come (has_request): on the thread
  // that the call arrived on. Until then the transport holds little of it. To be called once, on any thread.
  virtual void ReceiveRequest(absl::AnyInvocable<void()> go_on) { go_on(); }

  // The host's turns on the thread that the call arrived on; null: there are none. They outlive the call.
  Turns* turns = nullptr;

  // What the interceptors found out.
  Principal principal;                                 // Authentication.
  CallContext context;                                 // Resolution.
  std::unique_ptr<google::protobuf::Message> request;  // Decoding.
  std::optional<Outcome> outcome;                      // Idempotency, once it is known.
  // Scheduling: where the transport takes a large reply's bytes until it is sent; null: nowhere. Outlives the call.
  MessageBudget* reply_budget = nullptr;

  // `hook` sees how the call ends; the last one added is the first to see it.
  void OnFinish(FinishHook hook) { finish_hooks_.push_back(std::move(hook)); }

  // Sends a message of a method that streams, ahead of the end. `sent` runs once the next one may be sent, or with
  // false once the client takes no more. To be called on any thread; one message at a time.
  virtual void SendPart(std::string /*message*/, absl::AnyInvocable<void(bool ok)> sent) { sent(false); }

  // Ends the call with the reply's bytes, or an error. A method that streams has no reply: it ends with an empty one.
  void Finish(absl::StatusOr<std::string> reply);

 protected:
  // Sends the end to the client.
  virtual void Send(absl::StatusOr<std::string> reply) = 0;

 private:
  const Method& method_;
  std::vector<FinishHook> finish_hooks_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_CALL_H_
