#include "hapax/server/grpc_call.h"

#include <utility>

#include "absl/time/time.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/grpc_status.h"

namespace hapax {
namespace {

constexpr char kOutcomeMetadata[] = "hapax-outcome";
constexpr char kReplayedMetadata[] = "idempotent-replayed";
constexpr char kRetryMetadata[] = "hapax-retry";

// Calls on an event thread at the most for each to be a lone one: this, and one that is over but for its clean-up.
constexpr int kAlone = 2;

}  // namespace

GrpcCall::GrpcCall(const Method& method, const Chain& chain, GrpcStream& stream)
    : UnaryCall(method), chain_(chain), stream_(stream) {
  stream_.Read();
}

void GrpcCall::OnRead(const grpc::ByteBuffer* message) {
  has_request_ = message != nullptr;
  // A short request is one slice, which is taken as it is; a longer one is joined.
  if (has_request_ && !message->TrySingleSlice(&request_slice_).ok()) message->DumpToSingleSlice(&request_slice_);
  chain_.Run(*this);
}

std::string_view GrpcCall::request_bytes() const {
  return {reinterpret_cast<const char*>(request_slice_.begin()), request_slice_.size()};
}

UnaryCall::MetadataValues GrpcCall::Metadata(std::string_view key) const {
  const auto [begin, end] = stream_.context().client_metadata().equal_range(grpc::string_ref(key.data(), key.size()));
  MetadataValues values;
  for (auto entry = begin; entry != end; ++entry) values.emplace_back(entry->second.data(), entry->second.size());
  return values;
}

absl::Time GrpcCall::deadline() const {
  const auto deadline = stream_.context().deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

void GrpcCall::Send(absl::StatusOr<std::string> reply) {
  reply_ = std::move(reply);
  // To a lone client the reply goes out from here, since waking the event thread takes longer than sending.
  if (stream_.loop().holders() <= kAlone) return SendNow();
  stream_.loop().Post([this] { SendNow(); });
}

void GrpcCall::SendNow() {
  grpc::GenericServerContext& server_context = stream_.context();
  if (!reply_.ok()) {
    server_context.AddTrailingMetadata(kRetryMetadata, std::string(WireName(VerdictOf(reply_.status()))));
    stream_.Finish(ToGrpcStatus(reply_.status()));
    return;
  }
  if (outcome.has_value()) {
    server_context.AddInitialMetadata(kOutcomeMetadata, std::string(WireName(*outcome)));
    if (*outcome == Outcome::kReplayed) server_context.AddInitialMetadata(kReplayedMetadata, "true");
  }
  const grpc::Slice slice(*reply_);
  stream_.WriteAndFinish(grpc::ByteBuffer(&slice, 1));
}

}  // namespace hapax
