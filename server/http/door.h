#ifndef HAPAX_SERVER_HTTP_DOOR_H_
#define HAPAX_SERVER_HTTP_DOOR_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/interceptors/call.h"
#include "hapax/interceptors/principal.h"
#include "hapax/server/http/message.h"

namespace hapax {

// A call of a hosted method that a door makes for a request.
struct DoorCall {
  std::string_view method;  // Such as "hapax.compute.v1.Compute/RunInstances"; a literal.
  std::string request;      // Serialized.
  // What the chain finds as metadata, by lower-case name: "x-client-token", "authorization", "x-tenant-id", ...
  HttpHeaders metadata;
  // The caller, if the door has verified who it is. Otherwise the chain does so, by the metadata.
  std::optional<Principal> principal;
};

struct DoorReply {
  absl::StatusOr<std::string> reply;  // Serialized, or the error as a client of gRPC gets it (refusal.h).
  std::optional<Outcome> outcome;     // Of a mutating call that succeeded.
};

// Takes calls through the chain of interceptors, as those that came by gRPC.
// Thread-safety: safe.
class DoorCalls {
 public:
  using Done = absl::AnyInvocable<void(DoorReply) &&>;

  virtual ~DoorCalls() = default;
  // `origin` outlives the call. `done` is called once, on any thread, or before this returns. It must not block.
  // Errors: those of the chain; UNIMPLEMENTED, no service has such a method.
  virtual void Run(const HttpRequest& origin, DoorCall call, Done done) = 0;
};

// A protocol over HTTP, whose requests are translated to calls of hosted methods. A door knows no other door.
// Thread-safety: safe.
class Door {
 public:
  using Done = absl::AnyInvocable<void(HttpReply) &&>;

  virtual ~Door() = default;
  // Whether the request is for this door, by its method, path, query and headers. Of several doors the first one
  // counts.
  [[nodiscard]] virtual bool IsFor(const HttpRequest& request) const = 0;
  // Serves the request, which lives until `done` was called. `done` is called once, on any thread, or before this
  // returns. Must not block.
  virtual void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const = 0;
  // Reads keys or other credentials anew, for the requests from now on. On an error it keeps what it had. For one
  // thread at a time.
  [[nodiscard]] virtual absl::Status Reload() { return absl::OkStatus(); }
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_DOOR_H_
