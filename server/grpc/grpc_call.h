#ifndef HAPAX_SERVER_GRPC_GRPC_CALL_H_
#define HAPAX_SERVER_GRPC_GRPC_CALL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/server/grpc/grpc_stream.h"
#include "hapax/server/grpc/stream_call.h"

namespace hapax {

// A UnaryCall over gRPC: takes the call through the chain, reads the request when the chain asks for it, and sends the
// end.
//
// Lifetime: owned by its stream, as the handler.
class GrpcCall final : public StreamCall, public GrpcStream::Handler {
 public:
  GrpcCall(const Method& method, const Chain& chain, GrpcStream& stream);
  ~GrpcCall() override;

  [[nodiscard]] std::string_view request_bytes() const override { return request_bytes_.value_or(""); }
  [[nodiscard]] bool has_request() const override { return request_bytes_.has_value(); }
  [[nodiscard]] absl::Status request_fault() const override { return stream().message_fault(); }
  void ReceiveRequest(absl::AnyInvocable<void()> go_on) override;
  void SendPart(std::string message, absl::AnyInvocable<void(bool ok)> sent) override;

 private:
  void OnArrived() override { chain_.Run(*this); }
  void OnRead(std::optional<std::string_view> message) override;
  void OnWritten(bool ok) override { std::exchange(on_sent_, nullptr)(ok); }
  void Send(absl::StatusOr<std::string> reply) override;
  void SendNow();

  const Chain& chain_;
  std::optional<std::string_view> request_bytes_;
  absl::AnyInvocable<void()> on_request_;   // From ReceiveRequest.
  absl::AnyInvocable<void(bool)> on_sent_;  // From SendPart.
  absl::StatusOr<std::string> reply_;       // Set by Send.
  size_t budgeted_bytes_ = 0;               // Taken from the budget, for a long reply.
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_GRPC_CALL_H_
