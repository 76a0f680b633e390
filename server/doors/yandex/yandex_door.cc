#include "hapax/server/doors/yandex/yandex_door.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/yandex/rest_reply.h"
#include "hapax/server/doors/yandex/routes.h"
#include "hapax/server/doors/yandex/translation.h"

namespace hapax::yandex {
namespace {

// Who the caller is, and the token.
HttpHeaders MetadataOf(const HttpRequest& request) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"authorization", "x-api-key", "x-tenant-id", "idempotency-key", "x-client-token"});
  HttpHeaders metadata;
  for (const auto& [name, value] : request.headers) {
    for (const std::string_view wanted : kNames) {
      if (name == wanted) metadata.emplace_back(name, value);
    }
  }
  if (!request.prefix_token.empty()) metadata.emplace_back("x-client-token", request.prefix_token);
  return metadata;
}

// A request on its way to its reply, which takes one call after another.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(const HttpRequest& request, DoorCalls& calls, Door::Done done, const RestCall& call)
      : request_(request), calls_(calls), done_(std::move(done)), reply_(*call.reply), mutates_(call.mutates) {}

  void Take(TranslationStep step) {
    if (step.is_end()) return End(std::move(step.end));
    DoorCall call{.method = step.method,
                  .request = std::move(step.request),
                  .metadata = MetadataOf(request_),
                  .principal = std::nullopt};
    calls_.Run(request_, std::move(call),
               [self = shared_from_this(), then = std::move(step.then)](DoorReply reply) mutable {
                 if (reply.outcome.has_value()) self->outcome_ = reply.outcome;
                 self->Take(std::move(then)(std::move(reply.reply)));
               });
  }

 private:
  void End(absl::StatusOr<std::string> bytes) {
    if (!bytes.ok()) return std::move(done_)(ErrorReply(bytes.status()));
    const std::unique_ptr<google::protobuf::Message> message(reply_.New());
    if (!message->ParseFromString(*bytes)) {
      return std::move(done_)(ErrorReply(Refuse(Reason::kInternal, "a reply could not be parsed")));
    }
    std::move(done_)(JsonReply(*message, mutates_ ? outcome_ : std::nullopt));
  }

  const HttpRequest& request_;
  DoorCalls& calls_;
  Door::Done done_;
  const google::protobuf::Message& reply_;
  const bool mutates_;
  std::optional<Outcome> outcome_;
};

}  // namespace

YandexDoor::YandexDoor(const compute::Catalog& catalog) {
  for (TranslatedMethod& method : TranslatedMethods(catalog)) {
    const std::string name = method.name;
    methods_.emplace(name, std::move(method));
  }
}

bool YandexDoor::IsFor(const HttpRequest& request) const { return IsRestPath(request.path); }

void YandexDoor::Serve(const HttpRequest& request, DoorCalls& calls, Done done) const {
  const absl::StatusOr<RestCall> call = ReadRestCall(request);
  if (!call.ok()) return std::move(done)(ErrorReply(call.status()));
  const auto method = methods_.find(call->method);
  HAPAX_CHECK(method != methods_.end(), "a route is that of a translated method");
  std::make_shared<Exchange>(request, calls, std::move(done), *call)->Take(method->second.begin(call->request));
}

}  // namespace hapax::yandex
