#include "hapax/server/http/http_call.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

HttpCall::HttpCall(const Method& method, const HttpRequest& origin, DoorCall call, DoorCalls::Done done)
    : UnaryCall(method),
      origin_(origin),
      call_(std::move(call)),
      done_(std::move(done)),
      deadline_(absl::Now() + kTimeout) {}

UnaryCall::MetadataValues HttpCall::Metadata(std::string_view key) const {
  MetadataValues values;
  for (const auto& [name, value] : call_.metadata) {
    if (name == key) values.emplace_back(value);
  }
  return values;
}

PeerNames HttpCall::peer_names() const {
  PeerNames names{.uris = {}, .common_name = origin_.certificate_common_name};
  for (const std::string& uri : origin_.certificate_uris) names.uris.emplace_back(uri);
  return names;
}

bool HttpCall::IsCancelled() const {
  return origin_.is_gone != nullptr && origin_.is_gone->load(std::memory_order_relaxed);
}

void HttpCall::Send(absl::StatusOr<std::string> reply) {
  const size_t long_bytes = reply.ok() && reply->size() > MessageBudget::kSmallBytes ? reply->size() : 0;
  MessageBudget* const budget = long_bytes > 0 ? reply_budget : nullptr;
  if (budget != nullptr) budget->Take(principal.tenant, long_bytes);
  std::move(done_)({.reply = std::move(reply), .outcome = outcome});
  if (budget != nullptr) budget->Return(principal.tenant, long_bytes);
  delete this;
}

ChainCalls::ChainCalls(const std::vector<const HostedService*>& services, const Chain& chain) : chain_(chain) {
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      if (method.stream == nullptr) methods_.emplace(method.name, &method);
    }
  }
}

void ChainCalls::Run(const HttpRequest& origin, DoorCall call, Done done) {
  const auto method = methods_.find(call.method);
  if (method == methods_.end()) {
    return std::move(done)({.reply = Refuse(Reason::kUnimplemented, "no service of this server has this method"),
                            .outcome = std::nullopt});
  }
  chain_.Run(*new HttpCall(*method->second, origin, std::move(call), std::move(done)));
}

}  // namespace hapax
