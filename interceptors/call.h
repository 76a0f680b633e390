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

// How a mutating call succeeded, as sent in response metadata `hapax-outcome` (C26).
enum class Outcome {
  kExecuted,     // This attempt made the effect.
  kReplayed,     // The reply comes from the token's record.
  kUnprotected,  // The call made its effect without a token.
};

// `executed`, `replayed` or `unprotected`.
[[nodiscard]] std::string_view WireName(Outcome outcome);

// A unary call on its way through the chain: what arrived, what the interceptors added, and its one end. It handles
// bytes; Decoding adds the message.
//
// Guarantees: Finish is called exactly once.
// Thread-safety: for one interceptor at a time; IsCancelled from any thread.
// Lifetime: the call may be gone as soon as Finish is called.
class UnaryCall : public CallInfo {
 public:
  // Sees the end of the call before the reply is sent.
  using FinishHook = absl::AnyInvocable<void(UnaryCall&, const absl::StatusOr<std::string>&)>;

  explicit UnaryCall(const Method& method) : method_(method) {}
  ~UnaryCall() override = default;
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  // What arrived.
  [[nodiscard]] const Method& method() const { return method_; }
  [[nodiscard]] virtual std::string_view request_bytes() const = 0;
  // Whether the request has arrived, perhaps an empty one. False until ReceiveRequest goes on, and for a call that
  // ended without a request.
  [[nodiscard]] virtual bool has_request() const { return true; }
  // gRPC's error for a request that arrived and cannot be used; OK otherwise, also when none arrived.
  [[nodiscard]] virtual absl::Status request_fault() const { return absl::OkStatus(); }

  // The caller, if the transport has verified by itself who that is; null: the chain does.
  [[nodiscard]] virtual const Principal* verified_principal() const { return nullptr; }

  // Asks the client for the request. `go_on` runs on the thread that the call arrived on, once the request has arrived
  // or cannot arrive any more (has_request). Until then the transport holds little of it. Call it once, on any thread.
  virtual void ReceiveRequest(absl::AnyInvocable<void()> go_on) { go_on(); }

  // The turns of the thread that the call arrived on; null when the host has none. They outlive the call.
  Turns* turns = nullptr;

  // What the interceptors added.
  Principal principal;                                 // Authentication.
  CallContext context;                                 // Resolution.
  std::unique_ptr<google::protobuf::Message> request;  // Decoding.
  std::optional<Outcome> outcome;                      // Idempotency, once it is known.
  // Scheduling: the budget that counts a large reply's bytes until it is sent; null when nothing counts them. Outlives
  // the call.
  MessageBudget* reply_budget = nullptr;

  // Adds a hook for the end of the call. Hooks run in reverse order: the last one added runs first.
  void OnFinish(FinishHook hook) { finish_hooks_.push_back(std::move(hook)); }

  // Sends one message of a streaming method before the end. `sent` gets true once the next message may be sent, false
  // once the client accepts no more. For any thread; one message at a time.
  virtual void SendPart(std::string /*message*/, absl::AnyInvocable<void(bool ok)> sent) { sent(false); }

  // Ends the call with the reply's bytes, or an error. A streaming method ends with an empty reply.
  void Finish(absl::StatusOr<std::string> reply);

 protected:
  // Sends the reply or the error to the client.
  virtual void Send(absl::StatusOr<std::string> reply) = 0;

 private:
  const Method& method_;
  std::vector<FinishHook> finish_hooks_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_CALL_H_
