#ifndef HAPAX_SERVER_DOORS_OPENSTACK_EXCHANGE_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_EXCHANGE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/openstack/replies.h"
#include "hapax/server/http/door.h"

namespace hapax::openstack {

// Who a caller is: what the server's `--auth` goes by. Keystone's reply gives the caller a token that says it.
enum class Identity {
  kProject,      // The token is the project's name, which is the tenant. Nothing is verified.
  kApiKey,       // The token is an API key.
  kCertificate,  // The client's certificate counts, and the token does not.
};

struct Options {
  const compute::Catalog& catalog;  // Outlives the door.
  std::string default_region;       // Of the catalog.
  Identity identity = Identity::kProject;
};

class Exchange;
using ExchangePtr = std::unique_ptr<Exchange>;

// A request on its way to its reply. Each step owns it and hands it to the next one; one of them ends it with Send.
// Thread-safety: for one thread at a time.
class Exchange {
 public:
  Exchange(const HttpRequest& http_request, DoorCalls& door_calls, const Options& door_options, Door::Done finished)
      : request(http_request), calls(door_calls), options(door_options), done(std::move(finished)) {}

  // Ends the exchange. Marks the reply with the outcome, if a mutating call succeeded.
  static void Send(ExchangePtr exchange, HttpReply reply);
  static void Send(ExchangePtr exchange, const absl::Status& error) { Send(std::move(exchange), ErrorReply(error)); }

  // Calls a hosted method, and goes on with its reply; an error ends the exchange.
  template <typename Response>
  using Next = absl::AnyInvocable<void(ExchangePtr, Response) &&>;
  template <typename Response>
  static void Read(ExchangePtr exchange, std::string_view method, const google::protobuf::Message& request,
                   Next<Response> next) {
    Run(std::move(exchange), method, request, /*mutates=*/false, std::move(next));
  }
  // Likewise with the client's token.
  template <typename Response>
  static void Mutate(ExchangePtr exchange, std::string_view method, const google::protobuf::Message& request,
                     Next<Response> next) {
    Run(std::move(exchange), method, request, /*mutates=*/true, std::move(next));
  }
  // Goes on once the caller is known to be one: for what the door answers by itself.
  static void Authenticate(ExchangePtr exchange, absl::AnyInvocable<void(ExchangePtr) &&> next);

  // The base of the links in replies, such as `http://127.0.0.1:8080/regions/eu-west-1`.
  [[nodiscard]] std::string BaseUrl() const;
  // The project and the user in replies: what can be known of the caller without the chain.
  [[nodiscard]] std::string CallerName() const;
  // The region of the endpoint, or else the default one.
  [[nodiscard]] std::string RegionOrDefault() const { return region.empty() ? options.default_region : region; }

  const HttpRequest& request;
  DoorCalls& calls;
  const Options& options;
  Door::Done done;
  std::string region;  // Of the endpoint; empty for the default one.
  std::string token;   // X-Auth-Token, or the one that a login makes.
  bool has_token = false;
  std::optional<Outcome> outcome;
  bool path_names_it = false;  // The path names what the call is about: if there is none, the status is 404.

 private:
  [[nodiscard]] HttpHeaders Metadata(bool mutates) const;
  static void RunBytes(ExchangePtr exchange, DoorCall call, absl::AnyInvocable<void(ExchangePtr, std::string) &&> next);

  template <typename Response>
  static void Run(ExchangePtr exchange, std::string_view method, const google::protobuf::Message& request, bool mutates,
                  Next<Response> next) {
    DoorCall call{.method = method,
                  .request = request.SerializeAsString(),
                  .metadata = exchange->Metadata(mutates),
                  .principal = std::nullopt};
    RunBytes(std::move(exchange), std::move(call),
             [next = std::move(next)](ExchangePtr self, std::string bytes) mutable {
               Response response;
               if (!response.ParseFromString(bytes)) {
                 return Send(std::move(self), Refuse(Reason::kInternal, "a reply could not be parsed"));
               }
               std::move(next)(std::move(self), std::move(response));
             });
  }
};

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_EXCHANGE_H_
