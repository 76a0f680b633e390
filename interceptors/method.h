#ifndef HAPAX_INTERCEPTORS_METHOD_H_
#define HAPAX_INTERCEPTORS_METHOD_H_

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/call_info.h"
#include "hapax/interceptors/role.h"
#include "hapax/interceptors/rule.h"
#include "hapax/interceptors/scope.h"
#include "hapax/storage/store.h"

namespace hapax {

class UnaryCall;

// What a handler may know of the call besides the request. The chain fills it in at one place (resolution.h).
struct CallContext {
  std::string tenant;        // The authenticated principal's.
  std::string client_token;  // Wherever the client put it; empty for none, and for a method without a rule.
  Place place;               // Resolved by the method's rule; empty for a method without one.
  absl::Time now;            // When the server took the call up.
  Role role = Role::kRead;   // The principal's.
  // Deadline, peer and metadata; null where a test makes the context. What an effect depends on belongs into the
  // request all the same: a retry is compared by its request alone (C22).
  const CallInfo* call = nullptr;
  // What page tokens are made with (server/hosting/listing.h).
  std::string_view page_token_key;
  // What RecordDefaults was told; null where there is no record: of a read, or without a token.
  google::protobuf::Message* recorded_defaults = nullptr;

  // For a mutating handler, in its transaction: records what unset fields of the request mean (C22). `defaults` is of
  // the request's type, and has just those fields, whether the request left them out or not. By that a retry that
  // spells one out, or leaves out what spelled it, is the same request, whatever the default is by then. Within a
  // message that the request has, each field has a default of its own (resolved_fields.h).
  void RecordDefaults(const google::protobuf::Message& defaults) const {
    if (recorded_defaults != nullptr) recorded_defaults->MergeFrom(defaults);
  }
};

// A method that a service hosts: its declaration, compiled, and its code, with the types erased
// (server/hosting/hosted_service.h is the typed face of this).
//
// Thread-safety: immutable once the server runs; the functions are called from many threads.
struct Method {
  using Message = google::protobuf::Message;

  // Full name, `package.Service/Method`.
  std::string name;
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  // Default instances to make new ones from.
  const Message* request = nullptr;
  const Message* reply = nullptr;
  // The rule of a mutating method; nullopt for one without side effects, or idempotent by its nature.
  std::optional<Rule> rule;
  // The least role that may call it.
  Role required_role = Role::kAdmin;

  // Whether a read may take long: it is not run on an event thread then.
  bool is_long_read = false;

  // Of these four exactly one is set.
  //
  // A read.
  absl::AnyInvocable<absl::Status(const CallContext&, const ReadTransaction&, const Message&, Message*) const> read;

  // A mutation: makes its effect through the transaction alone, and may be run again (store.h).
  absl::AnyInvocable<absl::Status(const CallContext&, Transaction&, const Message& request, const std::any& prepared,
                                  Message* reply) const>
      mutate;

  // A read whose replies are a stream: makes the next message, from the request and the cursor, which is empty at
  // first. Returns false if there is none. Each message is read from a state of its own.
  absl::AnyInvocable<absl::StatusOr<bool>(const CallContext&, const ReadTransaction&, const Message& request,
                                          std::string* cursor, Message* reply) const>
      stream;

  // Answers in its own time, because it waits for something: ends the call, now or later. It must not block. What it
  // changes, if it is declared `idempotency_level = IDEMPOTENT`, lies outside the store.
  absl::AnyInvocable<void(UnaryCall&) const> serve;

  // Brings the reply on record up to date for a retry. Set when the rule replays the current operation.
  absl::AnyInvocable<absl::StatusOr<std::string>(const CallContext&, const ReadTransaction&, std::string reply) const>
      refresh;

  // Slow work that needs no transaction, such as making a key: done on a worker thread, once the token
  // is known to be new. Its result goes to `mutate`. Optional.
  absl::AnyInvocable<absl::StatusOr<std::any>(const CallContext&, const Message&) const> prepare;

  // Gives requests that mean the same the same form (C22): it clears explicit defaults, and fills in at
  // most what other fields of the request imply. It never fills in a default: then a field that a later
  // version adds, with a default, is no difference to the requests before it. It clears defaults that never change;
  // others are recorded (CallContext::RecordDefaults). To do it twice makes no difference. Optional.
  absl::AnyInvocable<void(Message*) const> canonicalize;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_METHOD_H_
