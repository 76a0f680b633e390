#include "hapax/server/grpc_call.h"

#include "absl/time/time.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/grpc_status.h"

namespace hapax {
namespace {

constexpr char kOutcomeMetadata[] = "hapax-outcome";
constexpr char kReplayedMetadata[] = "idempotent-replayed";
constexpr char kRetryMetadata[] = "hapax-retry";

}  // namespace

GrpcCall::GrpcCall(const Method& method, grpc::CallbackServerContext& grpc_context,
                   const grpc::ByteBuffer& request_buffer, grpc::ByteBuffer& reply_buffer)
    : UnaryCall(method),
      grpc_context_(grpc_context),
      reply_buffer_(reply_buffer),
      has_request_(request_buffer.Valid()) {
  if (!has_request_) return;
  // A short request is one slice, which is taken as it is; a longer one is joined.
  if (!request_buffer.TrySingleSlice(&request_slice_).ok()) request_buffer.DumpToSingleSlice(&request_slice_);
}

std::string_view GrpcCall::request_bytes() const {
  return {reinterpret_cast<const char*>(request_slice_.begin()), request_slice_.size()};
}

UnaryCall::MetadataValues GrpcCall::Metadata(std::string_view key) const {
  const auto [begin, end] = grpc_context_.client_metadata().equal_range(grpc::string_ref(key.data(), key.size()));
  MetadataValues values;
  for (auto entry = begin; entry != end; ++entry) values.emplace_back(entry->second.data(), entry->second.size());
  return values;
}

absl::Time GrpcCall::deadline() const {
  const auto deadline = grpc_context_.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

void GrpcCall::Send(absl::StatusOr<std::string> reply) {
  if (!reply.ok()) {
    grpc_context_.AddTrailingMetadata(kRetryMetadata, std::string(WireName(VerdictOf(reply.status()))));
    ServerUnaryReactor::Finish(ToGrpcStatus(reply.status()));
    return;
  }
  if (outcome.has_value()) {
    grpc_context_.AddInitialMetadata(kOutcomeMetadata, std::string(WireName(*outcome)));
    if (*outcome == Outcome::kReplayed) grpc_context_.AddInitialMetadata(kReplayedMetadata, "true");
  }
  grpc::Slice slice(*reply);
  reply_buffer_ = grpc::ByteBuffer(&slice, 1);
  ServerUnaryReactor::Finish(grpc::Status::OK);
}

}  // namespace hapax
