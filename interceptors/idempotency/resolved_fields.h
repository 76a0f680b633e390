#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_

#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/idempotency/fingerprint_versions.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// Adds to the fingerprint of `request` in which other ways each of its top-level fields could have been said, with the
// others as they are, when `defaults` has what unset fields mean (CallContext::RecordDefaults, C22):
//
//   the request leaves it unset            spelled out as in `defaults`
//   the request has what `defaults` has    left out
//   a message that has something else      the same for each field in it, and for any of them together. Of more than
//                                          three: each alone, all spelled out, all left out
//   anything else                          in no other way
//
// All of it in canonical form (Method::canonicalize), the request as well as `defaults`. Where the request has nothing,
// or what `defaults` has, it takes one digest for each field of `defaults`; else copies of the request.
//
// Requires: `defaults` is of the request's type, and in canonical form. `fingerprint` is MakeFingerprint's of the
// request, and `versions` are those that made it.
void AddResolvedFields(const Method& method, const google::protobuf::Message& request,
                       const google::protobuf::Message& defaults, store::v1::Fingerprint* fingerprint,
                       absl::Span<const FingerprintVersion> versions = FingerprintVersions());

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_
