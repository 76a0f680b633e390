#include "hapax/server/grpc/stream_call.h"

#include <utility>

#include "grpc/grpc_security_constants.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/grpc/grpc_status.h"

namespace hapax {
namespace {

constexpr char kOutcomeMetadata[] = "hapax-outcome";
constexpr char kReplayedMetadata[] = "idempotent-replayed";
constexpr char kRetryMetadata[] = "hapax-retry";

}  // namespace

PeerNames StreamCall::peer_names() const {
  PeerNames names;
  for (const std::string_view uri : stream_.PeerProperty(GRPC_PEER_URI_PROPERTY_NAME)) names.uris.emplace_back(uri);
  for (const std::string_view name : stream_.PeerProperty(GRPC_X509_CN_PROPERTY_NAME)) names.common_name = name;
  return names;
}

bool IsLong(const absl::StatusOr<std::string>& reply) {
  return reply.ok() && reply->size() > MessageBudget::kSmallBytes;
}

void AddOutcome(GrpcStream& stream, std::optional<Outcome> outcome) {
  if (!outcome.has_value()) return;
  stream.AddInitialMetadata(kOutcomeMetadata, WireName(*outcome));
  if (*outcome == Outcome::kReplayed) stream.AddInitialMetadata(kReplayedMetadata, "true");
}

void SendError(GrpcStream& stream, const absl::Status& error) {
  stream.AddTrailingMetadata(kRetryMetadata, WireName(VerdictOf(error)));
  stream.Finish(ToGrpcStatus(error));
}

void SendEnd(GrpcStream& stream, absl::StatusOr<std::string> reply, std::optional<Outcome> outcome) {
  if (!reply.ok()) return SendError(stream, reply.status());
  AddOutcome(stream, outcome);
  if (IsLong(reply)) return stream.WriteLongAndFinish(*std::move(reply));
  stream.WriteAndFinish(*reply);
}

}  // namespace hapax
