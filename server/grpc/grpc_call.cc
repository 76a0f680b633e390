#include "hapax/server/grpc/grpc_call.h"

#include <utility>

#include "hapax/interceptors/message_budget.h"

namespace hapax {
namespace {

// A call is alone if its thread has at most this many: itself, and one that only needs its clean-up.
constexpr int kAlone = 2;

}  // namespace

GrpcCall::GrpcCall(const Method& method, const Chain& chain, GrpcStream& stream)
    : StreamCall(method, stream), chain_(chain) {}

GrpcCall::~GrpcCall() {
  if (budgeted_bytes_ > 0) reply_budget->Return(principal.tenant, budgeted_bytes_);
}

void GrpcCall::ReceiveRequest(absl::AnyInvocable<void()> go_on) {
  on_request_ = std::move(go_on);
  stream().loop().Post([this] { stream().Read(); });
}

void GrpcCall::SendPart(std::string message, absl::AnyInvocable<void(bool ok)> sent) {
  on_sent_ = std::move(sent);
  stream().loop().Post([this, message = std::move(message)] { stream().WritePart(message); });
}

void GrpcCall::OnRead(std::optional<std::string_view> message) {
  request_bytes_ = message;
  std::exchange(on_request_, nullptr)();
}

void GrpcCall::Send(absl::StatusOr<std::string> reply) {
  reply_ = std::move(reply);
  const bool is_long = IsLong(reply_);
  if (is_long && reply_budget != nullptr) {
    budgeted_bytes_ = reply_->size();
    reply_budget->Take(principal.tenant, budgeted_bytes_);
  }
  // A lone client's reply is sent from here, since waking the event thread takes longer than sending.
  if (!is_long && stream().loop().holders() <= kAlone) return SendNow();
  stream().loop().Post([this] { SendNow(); });
}

void GrpcCall::SendNow() {
  if (method().stream == nullptr) return SendEnd(stream(), std::move(reply_), outcome);
  if (!reply_.ok()) return SendError(stream(), reply_.status());
  AddOutcome(stream(), outcome);
  stream().Finish(grpc::Status::OK);
}

}  // namespace hapax
