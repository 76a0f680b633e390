#include "hapax/server/grpc/channel_arguments.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace hapax {
namespace {

// How long calls may continue on a connection that has exceeded its age.
constexpr absl::Duration kAgeGrace = absl::Seconds(30);

constexpr int kUnaskedBytes = 16 << 10;

// gRPC takes the largest int for infinity.
int Milliseconds(absl::Duration duration) {
  return static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(duration), std::numeric_limits<int>::max()));
}

}  // namespace

void ApplyTo(grpc::ServerBuilder& builder, const ConnectionLimits& limits) {
  builder.SetMaxReceiveMessageSize(limits.max_message_bytes);
  builder.SetResourceQuota(grpc::ResourceQuota("connections").Resize(static_cast<size_t>(limits.max_connection_bytes)));
  // Compressed messages are not unpacked, and nothing is compressed.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  // A client may send at most this much of a request that was not asked for yet.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kUnaskedBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits.max_metadata_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.max_calls_per_connection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Milliseconds(limits.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(limits.keepalive_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(limits.keepalive_timeout));
  // Keepalive also covers connections without calls, and allows any number of pings: the client may be gone either way.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(limits.max_connection_idle));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(limits.max_connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Milliseconds(kAgeGrace));
}

}  // namespace hapax
