#include "hapax/server/grpc/grpc_call.h"

#include <utility>

#include "absl/time/time.h"
#include "grpc/grpc_security_constants.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/grpc/grpc_status.h"

namespace hapax {
namespace {

constexpr char kOutcomeMetadata[] = "hapax-outcome";
constexpr char kReplayedMetadata[] = "idempotent-replayed";
constexpr char kRetryMetadata[] = "hapax-retry";

// A call is alone if its thread has at most this many: itself, and one that only needs its clean-up.
constexpr int kAlone = 2;

}  // namespace

GrpcCall::GrpcCall(const Method& method, const Chain& chain, GrpcStream& stream)
    : UnaryCall(method), chain_(chain), stream_(stream) {
  turns = &stream.loop();
}

GrpcCall::~GrpcCall() {
  if (budgeted_bytes_ > 0) reply_budget->Return(principal.tenant, budgeted_bytes_);
}

void GrpcCall::ReceiveRequest(absl::AnyInvocable<void()> go_on) {
  on_request_ = std::move(go_on);
  stream_.loop().Post([this] { stream_.Read(); });
}

void GrpcCall::SendPart(std::string message, absl::AnyInvocable<void(bool ok)> sent) {
  on_sent_ = std::move(sent);
  stream_.loop().Post([this, message = std::move(message)] { stream_.WritePart(message); });
}

void GrpcCall::OnRead(std::optional<std::string_view> message) {
  request_bytes_ = message;
  std::exchange(on_request_, nullptr)();
}

UnaryCall::MetadataValues GrpcCall::Metadata(std::string_view key) const { return stream_.Metadata(key); }

PeerNames GrpcCall::peer_names() const {
  PeerNames names;
  for (const std::string_view uri : stream_.PeerProperty(GRPC_PEER_URI_PROPERTY_NAME)) names.uris.emplace_back(uri);
  for (const std::string_view name : stream_.PeerProperty(GRPC_X509_CN_PROPERTY_NAME)) names.common_name = name;
  return names;
}

void GrpcCall::Send(absl::StatusOr<std::string> reply) {
  reply_ = std::move(reply);
  is_long_ = reply_.ok() && reply_->size() > MessageBudget::kSmallBytes;
  if (is_long_ && reply_budget != nullptr) {
    budgeted_bytes_ = reply_->size();
    reply_budget->Take(principal.tenant, budgeted_bytes_);
  }
  // A lone client's reply is sent from here, since waking the event thread takes longer than sending.
  if (!is_long_ && stream_.loop().holders() <= kAlone) return SendNow();
  stream_.loop().Post([this] { SendNow(); });
}

void GrpcCall::SendNow() {
  if (!reply_.ok()) {
    stream_.AddTrailingMetadata(kRetryMetadata, WireName(VerdictOf(reply_.status())));
    stream_.Finish(ToGrpcStatus(reply_.status()));
    return;
  }
  if (outcome.has_value()) {
    stream_.AddInitialMetadata(kOutcomeMetadata, WireName(*outcome));
    if (*outcome == Outcome::kReplayed) stream_.AddInitialMetadata(kReplayedMetadata, "true");
  }
  if (method().stream != nullptr) return stream_.Finish(grpc::Status::OK);
  if (is_long_) return stream_.WriteLongAndFinish(*std::move(reply_));
  stream_.WriteAndFinish(*reply_);
}

}  // namespace hapax
