#ifndef HAPAX_SERVER_GRPC_CALL_H_
#define HAPAX_SERVER_GRPC_CALL_H_

#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// A UnaryCall that came over gRPC. It sends the outcome as initial metadata `hapax-outcome` (C26), and with
// an error the verdict as trailing metadata `hapax-retry` (C27).
//
// Lifetime: made with new; it deletes itself once gRPC is done with the call.
class GrpcCall final : public UnaryCall, public grpc::ServerUnaryReactor {
 public:
  // Context and buffers live until OnDone, as gRPC's callback API has it.
  GrpcCall(const Method& method, grpc::CallbackServerContext& grpc_context, const grpc::ByteBuffer& request_buffer,
           grpc::ByteBuffer& reply_buffer);

  [[nodiscard]] std::string_view request_bytes() const override;
  [[nodiscard]] bool has_request() const override { return has_request_; }
  [[nodiscard]] MetadataValues Metadata(std::string_view key) const override;
  [[nodiscard]] absl::Time deadline() const override;
  [[nodiscard]] bool IsCancelled() const override { return grpc_context_.IsCancelled(); }

 private:
  void Send(absl::StatusOr<std::string> reply) override;
  void OnDone() override { delete this; }
  // OnDone does so little that gRPC may run it where the call ends, without waking a thread for it.
  bool InternalInlineable() override { return true; }

  grpc::CallbackServerContext& grpc_context_;
  grpc::ByteBuffer& reply_buffer_;
  grpc::Slice request_slice_;
  const bool has_request_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_CALL_H_
