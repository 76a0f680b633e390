#ifndef HAPAX_PROTO_TOKEN_FIELD_H_
#define HAPAX_PROTO_TOKEN_FIELD_H_

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace hapax {

// The request field that carries a method's client token; null for a method without an idempotency rule
// (hapax/idempotency/v1/rule.proto). Server and client both ask here, so that neither takes a method that the other
// refuses.
//
// Errors: INVALID_ARGUMENT, naming the method, the option and what is allowed, for
// - a method that streams: a record holds one reply to one request;
// - a token field that is not a singular string field at the top level of the request;
// - one within a oneof, where setting the token would clear the caller's choice (`optional` is allowed);
// - one with a default value, which every call without a token would have for its token;
// - one that is also the region field or a zone field: a token sent as metadata would have another scope.
[[nodiscard]] absl::StatusOr<const google::protobuf::FieldDescriptor*> TokenFieldOf(
    const google::protobuf::MethodDescriptor& method);

}  // namespace hapax

#endif  // HAPAX_PROTO_TOKEN_FIELD_H_
