#include "hapax/interceptors/limits/decoding.h"

#include <string>
#include <utility>

#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"

namespace hapax {

namespace {

absl::Status WhyThereIsNoRequest(const UnaryCall& call) {
  if (absl::Status fault = call.request_fault(); !fault.ok()) return fault;
  if (call.IsCancelled()) {
    return Refuse(
        Reason::kCancelled,
        "the call was cancelled before its request had come, or its message is longer than max_message_bytes");
  }
  return RefuseParameter("request", "is missing: the call ended before it was sent");
}

}  // namespace

void Decoding::Intercept(UnaryCall& call, Next next) {
  if (!call.has_request()) return call.Finish(WhyThereIsNoRequest(call));
  const std::string_view bytes = call.request_bytes();
  const Method& method = call.method();
  const RequestLimits& limits = method.rule.has_value() ? limits_.NarrowedBy(method.rule->request_limits()) : limits_;
  if (absl::Status status = CheckRequest(bytes, *method.request->GetDescriptor(), limits); !status.ok()) {
    return call.Finish(std::move(status));
  }
  call.request.reset(call.method().request->New());
  if (!call.request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    call.Finish(RefuseParameter("request", "must be a serialized " +
                                               PublicName(call.method().descriptor->input_type()->full_name()) +
                                               " with strings in UTF-8"));
    return;
  }
  next(call);
}

}  // namespace hapax
