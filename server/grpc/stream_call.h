#ifndef HAPAX_SERVER_GRPC_STREAM_CALL_H_
#define HAPAX_SERVER_GRPC_STREAM_CALL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/interceptors/call.h"
#include "hapax/server/grpc/grpc_stream.h"

namespace hapax {

// What a UnaryCall knows of the stream that it came by. Lifetime: the stream outlives it.
class StreamCall : public UnaryCall {
 public:
  StreamCall(const Method& method, GrpcStream& stream) : UnaryCall(method), stream_(stream) { turns = &stream.loop(); }

  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override { return stream_.Metadata(key); }
  [[nodiscard]] std::string peer() const override { return stream_.Peer(); }
  [[nodiscard]] PeerNames peer_names() const override;
  [[nodiscard]] absl::Time deadline() const override { return stream_.deadline(); }
  [[nodiscard]] bool IsCancelled() const override { return stream_.IsCancelled(); }

 protected:
  [[nodiscard]] GrpcStream& stream() const { return stream_; }

 private:
  GrpcStream& stream_;
};

// Whether the reply is so long that a budget counts it, and that it is sent without a copy.
[[nodiscard]] bool IsLong(const absl::StatusOr<std::string>& reply);

// Sends the end of a unary call. A long reply is sent on the loop's thread. The outcome is initial metadata
// `hapax-outcome` (C26); an error has its verdict as trailing metadata `hapax-retry` (C27).
void SendEnd(GrpcStream& stream, absl::StatusOr<std::string> reply, std::optional<Outcome> outcome);
// The same for an error.
void SendError(GrpcStream& stream, const absl::Status& error);
// Adds the outcome of a call to its initial metadata.
void AddOutcome(GrpcStream& stream, std::optional<Outcome> outcome);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_STREAM_CALL_H_
