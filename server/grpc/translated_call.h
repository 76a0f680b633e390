#ifndef HAPAX_SERVER_GRPC_TRANSLATED_CALL_H_
#define HAPAX_SERVER_GRPC_TRANSLATED_CALL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/server/grpc/grpc_stream.h"
#include "hapax/server/hosting/translated_method.h"

namespace hapax {

// A call of a translated method over gRPC: takes one call of a hosted method after another through the chain, and sends
// the translated reply. The request is read when the chain asks for that of the first call. The outcome is that of the
// mutating call.
//
// Lifetime: owned by its stream, as the handler. `method`, `hosted` and `chain` outlive it.
class TranslatedCall final : public GrpcStream::Handler {
 public:
  using Methods = absl::flat_hash_map<std::string_view, const Method*>;  // By name.

  TranslatedCall(const TranslatedMethod& method, const Methods& hosted, const Chain& chain, GrpcStream& stream);
  ~TranslatedCall() override;

  void OnArrived() override;
  void OnRead(std::optional<std::string_view> message) override;

 private:
  class HostedCall;

  void OnReply(absl::StatusOr<std::string> reply);
  void CountReply();
  void GoOn();

  const TranslatedMethod& method_;
  const Methods& hosted_;
  const Chain& chain_;
  GrpcStream& stream_;
  std::unique_ptr<HostedCall> call_;                 // The one under way, or the last one.
  TranslationStep step_ = TranslationStep::End("");  // The step of that call, later the next one.
  std::optional<Outcome> outcome_;                   // Of the last mutating call.
  // The budget that counts a long translated reply until it is sent.
  MessageBudget* budget_ = nullptr;
  std::string tenant_;
  size_t budgeted_bytes_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_TRANSLATED_CALL_H_
