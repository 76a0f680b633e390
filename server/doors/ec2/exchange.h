#ifndef HAPAX_SERVER_DOORS_EC2_EXCHANGE_H_
#define HAPAX_SERVER_DOORS_EC2_EXCHANGE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/principal.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/xml.h"
#include "hapax/server/http/door.h"

namespace hapax::ec2 {

// Who calls: metadata for the chain to authenticate, or a principal whose signature was verified.
struct Caller {
  HttpHeaders metadata;
  std::optional<Principal> principal;
};

// Where a request's token stands.
struct TokenSources {
  std::string parameter;  // ClientToken; empty for none.
  HttpHeaders metadata;   // The others, as the chain reads them.
};

// A request of a known action on its way: the calls it makes, and its one reply.
//
// Guarantees: the reply is sent once, by Reply or Fail.
// Thread-safety: for one thread at a time, as the calls go on.
// Lifetime: kept by its calls; the HTTP request outlives it until the reply.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  struct Parts {
    const HttpRequest& request;
    DoorCalls& calls;
    Door::Done done;
    std::string action;
    std::string request_id;
    Caller caller;
    TokenSources tokens;
    bool mutates = false;
  };

  explicit Exchange(Parts parts) : parts_(std::move(parts)) {}

  template <typename Response>
  using Then = absl::AnyInvocable<void(absl::StatusOr<Response>) &&>;

  // Calls a hosted method of Compute, such as "hapax.compute.v1.Compute/RunInstances" (a literal). A request that has a
  // field `client_token` gets the token of the exchange. With an `item` it gets one of its own, derived from token,
  // method and item: for one of several calls.
  template <typename Response, typename Request>
  void Call(std::string_view method, Request request, Then<Response> then, std::string_view item = "") {
    DoorCall call = MakeCall(method, request, item);
    Run(std::move(call), [then = std::move(then)](absl::StatusOr<std::string> reply) mutable {
      if (!reply.ok()) return std::move(then)(reply.status());
      Response response;
      if (!response.ParseFromString(*reply)) return std::move(then)(absl::InternalError("the reply cannot be read"));
      std::move(then)(std::move(response));
    });
  }

  // Sends a reply of the action with status 200; `render` writes the elements of its root.
  void Reply(const std::function<void(XmlWriter&)>& render);
  void Fail(const absl::Status& status);

  // Whether the client has gone, so that no more calls are worth making.
  [[nodiscard]] bool IsGone() const;

  bool names_host = false;           // For errors (ToEc2Error).
  std::optional<absl::Status> told;  // An error that a reply with status 200 tells, for `hapax-retry`.

 private:
  [[nodiscard]] DoorCall MakeCall(std::string_view method, google::protobuf::Message& request, std::string_view item);
  void Run(DoorCall call, absl::AnyInvocable<void(absl::StatusOr<std::string>) &&> then);
  void Remember(std::optional<Outcome> outcome);
  [[nodiscard]] HttpHeaders Headers() const;

  Parts parts_;
  // Of the calls so far: executed if one was, else unprotected if one was.
  std::optional<Outcome> outcome_;
};

[[nodiscard]] HttpReply ErrorReply(const Ec2Error& error, const std::string& request_id);

// What is left of a request once its parameters are read.
using Plan = absl::AnyInvocable<void(std::shared_ptr<Exchange>) &&>;

// The plan of an action that is one call. `render` writes the elements of the reply's root.
template <typename Response, typename Request>
[[nodiscard]] Plan PlanCall(std::string_view method, Request request,
                            std::function<void(XmlWriter&, const Response&)> render, bool names_host = false) {
  return [method, request = std::move(request), render = std::move(render),
          names_host](std::shared_ptr<Exchange> exchange) mutable {
    exchange->names_host = names_host;
    Exchange& target = *exchange;
    target.Call<Response>(
        method, std::move(request),
        [exchange = std::move(exchange), render = std::move(render)](absl::StatusOr<Response> response) {
          if (!response.ok()) return exchange->Fail(response.status());
          exchange->Reply([&](XmlWriter& xml) { render(xml, *response); });
        });
  };
}

// Runs `step` for 0, 1, 2 and so on. A step calls `next` once for another, or never; it may do so before it returns,
// and on any thread. However many steps there are, the stack stays small.
void RunSteps(std::function<void(size_t index, absl::AnyInvocable<void()> next)> step);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_EXCHANGE_H_
