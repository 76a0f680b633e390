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

// What a handler may know about the call besides the request. The chain fills it in at one place (resolution.h).
struct CallContext {
  std::string tenant;        // The authenticated principal's.
  std::string client_token;  // From whichever source; empty when none was given, and for a method without a rule.
  Place place;               // By the method's rule; empty for a method without one.
  absl::Time now;            // When the server began to handle the call.
  Role role = Role::kRead;   // The principal's.
  // Deadline, peer and metadata; null where a test makes the context. No effect should depend on them, since a retry is
  // compared by its request alone (C22).
  const CallInfo* call = nullptr;
  // The key for page tokens (server/hosting/listing.h).
  std::string_view page_token_key;
  // Receives what RecordDefaults is given; null when nothing is recorded, as for a read or a call without a token.
  google::protobuf::Message* recorded_defaults = nullptr;

  // Records what unset fields of the request mean (C22), for a mutating handler in its transaction. `defaults` is of
  // the request's type and has those fields set, whether the request left them out or not.
  //
  // A retry that spells a default out, or leaves it out again, is then the same request, even if the default has
  // changed. In a message that the request has set, each field has its own default (resolved_fields.h).
  void RecordDefaults(const google::protobuf::Message& defaults) const {
    if (recorded_defaults != nullptr) recorded_defaults->MergeFrom(defaults);
  }
};

// A method that a service hosts: its declaration, compiled, and its code, with the types erased.
// server/hosting/hosted_service.h is the typed interface to this.
//
// Thread-safety: immutable once the server runs; the functions are called from many threads.
struct Method {
  using Message = google::protobuf::Message;

  // The full name, `package.Service/Method`.
  std::string name;
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  // Default instances, from which new messages are made.
  const Message* request = nullptr;
  const Message* reply = nullptr;
  // The rule of a mutating method; nullopt for a method without side effects or an idempotent one.
  std::optional<Rule> rule;
  // The lowest role that may call it.
  Role required_role = Role::kAdmin;

  // Whether a read may take long. If so, it does not run on an event thread.
  bool is_long_read = false;

  // Exactly one of the next four is set.
  //
  // Read: reads one state of the store.
  absl::AnyInvocable<absl::Status(const CallContext&, const ReadTransaction&, const Message&, Message*) const> read;

  // Mutation: makes its effect through the transaction alone, and may run again (store.h).
  absl::AnyInvocable<absl::Status(const CallContext&, Transaction&, const Message& request, const std::any& prepared,
                                  Message* reply) const>
      mutate;
  // Whether `mutate` runs statements of SQL by its transaction (Store::ExecuteWithSql).
  bool uses_sql = false;

  // Streaming read: makes the next message from the request and the cursor, which is empty at first. Returns false when
  // there is no further message. Each message reads a state of its own.
  absl::AnyInvocable<absl::StatusOr<bool>(const CallContext&, const ReadTransaction&, const Message& request,
                                          std::string* cursor, Message* reply) const>
      stream;

  // Serves a call that waits for something: ends the call, now or later, and must not block. Anything it changes, as a
  // method with `idempotency_level = IDEMPOTENT`, lies outside the store.
  absl::AnyInvocable<void(UnaryCall&) const> serve;

  // Optional. Updates the recorded reply for a retry. Set when the rule replays the current operation.
  absl::AnyInvocable<absl::StatusOr<std::string>(const CallContext&, const ReadTransaction&, std::string reply) const>
      refresh;

  // Optional. Slow work that needs no transaction, such as making a key. It runs on a worker thread once the token is
  // known to be new, and its result goes to `mutate`.
  absl::AnyInvocable<absl::StatusOr<std::any>(const CallContext&, const Message&) const> prepare;

  // Optional. Gives requests of the same meaning the same form (C22). It clears explicit defaults, and fills in only
  // what other fields of the request imply. A second run changes nothing.
  //
  // It never fills in a default, so a field that a later version adds with a default does not change older requests. It
  // clears only defaults that never change; others are recorded (CallContext::RecordDefaults).
  absl::AnyInvocable<void(Message*) const> canonicalize;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_METHOD_H_
