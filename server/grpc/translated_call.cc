#include "hapax/server/grpc/translated_call.h"

#include <utility>

#include "hapax/base/check.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/grpc/stream_call.h"

namespace hapax {

// A call of a hosted method that the translation makes.
class TranslatedCall::HostedCall final : public StreamCall {
 public:
  // Without a request, it is that of the translation's first step, once that has arrived.
  HostedCall(const Method& method, TranslatedCall& translation, GrpcStream& stream, std::optional<std::string> bytes)
      : StreamCall(method, stream), translation_(translation), bytes_(std::move(bytes)) {}

  [[nodiscard]] std::string_view request_bytes() const override { return bytes_ ? *bytes_ : std::string_view(); }
  [[nodiscard]] bool has_request() const override { return bytes_.has_value(); }
  [[nodiscard]] absl::Status request_fault() const override { return fault_.ok() ? stream().message_fault() : fault_; }
  void ReceiveRequest(absl::AnyInvocable<void()> go_on) override {
    if (bytes_.has_value()) return go_on();
    on_request_ = std::move(go_on);
    stream().loop().Post([this] { stream().Read(); });
  }

  // What arrived is a request, nothing, or one that cannot be translated.
  void Arrive(absl::StatusOr<std::optional<std::string>> bytes) {
    if (bytes.ok()) {
      bytes_ = *std::move(bytes);
    } else {
      fault_ = bytes.status();
    }
    std::exchange(on_request_, nullptr)();
  }

 private:
  void Send(absl::StatusOr<std::string> reply) override { translation_.OnReply(std::move(reply)); }

  TranslatedCall& translation_;
  std::optional<std::string> bytes_;
  absl::Status fault_;
  absl::AnyInvocable<void()> on_request_;  // From ReceiveRequest.
};

TranslatedCall::TranslatedCall(const TranslatedMethod& method, const Methods& hosted, const Chain& chain,
                               GrpcStream& stream)
    : method_(method), hosted_(hosted), chain_(chain), stream_(stream) {}

TranslatedCall::~TranslatedCall() {
  if (budgeted_bytes_ > 0) budget_->Return(tenant_, budgeted_bytes_);
}

void TranslatedCall::OnArrived() {
  const auto method = hosted_.find(method_.first_method);
  HAPAX_CHECK(method != hosted_.end(), "the host has checked that first methods are hosted");
  call_ = std::make_unique<HostedCall>(*method->second, *this, stream_, std::nullopt);
  chain_.Run(*call_);
}

void TranslatedCall::OnRead(std::optional<std::string_view> message) {
  if (!message.has_value()) return call_->Arrive(std::optional<std::string>());
  step_ = method_.begin(*message);
  if (step_.is_end()) {
    absl::Status error = step_.end.status();
    if (error.ok()) error = Refuse(Reason::kInternal, "a translation ended without a call");
    return call_->Arrive(std::move(error));
  }
  HAPAX_CHECK(step_.method == method_.first_method, "a translation begins with its first method");
  call_->Arrive(std::optional<std::string>(std::move(step_.request)));
}

void TranslatedCall::OnReply(absl::StatusOr<std::string> reply) {
  if (call_->outcome.has_value()) outcome_ = call_->outcome;
  if (step_.is_end()) {
    // The request was none, or the chain refused the call before its request was read.
    step_ = TranslationStep::End(std::move(reply));
  } else {
    // On this thread, since that of the loop must not decode a long reply.
    step_ = std::move(step_.then)(std::move(reply));
  }
  CountReply();
  stream_.loop().Post([this] { GoOn(); });
}

// A long reply takes its bytes until the stream is gone.
void TranslatedCall::CountReply() {
  if (!step_.is_end() || !IsLong(step_.end) || call_->reply_budget == nullptr) return;
  budget_ = call_->reply_budget;
  tenant_ = call_->principal.tenant;
  budgeted_bytes_ = step_.end->size();
  budget_->Take(tenant_, budgeted_bytes_);
}

void TranslatedCall::GoOn() {
  if (step_.is_end()) {
    if (!step_.end.ok()) outcome_.reset();
    return SendEnd(stream_, std::move(step_.end), outcome_);
  }
  const auto method = hosted_.find(step_.method);
  if (method == hosted_.end()) {
    return SendEnd(stream_, Refuse(Reason::kUnimplemented, "no service of this server has this method"), std::nullopt);
  }
  call_ = std::make_unique<HostedCall>(*method->second, *this, stream_, std::move(step_.request));
  chain_.Run(*call_);
}

}  // namespace hapax
