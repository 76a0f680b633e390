#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_

#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/idempotency/fingerprint_versions.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// Adds to the fingerprint of `request` the other ways in which each top-level field could say the same, with the other
// fields unchanged. `defaults` holds the meaning of unset fields (CallContext::RecordDefaults, C22):
//
//   the field in the request               other ways
//   unset                                  spelled out as in `defaults`
//   the same as in `defaults`              left out
//   a message with other contents          the same for each field in it, and for any combination of them. For more
//                                          than three fields: each alone, all spelled out, all left out
//   anything else                          none
//
// Everything is in canonical form (Method::canonicalize), the request and `defaults` alike. An unset field, or one as
// in `defaults`, takes one digest for each field of `defaults`. A message with other contents takes copies of the
// request.
//
// Requires: `defaults` is of the request's type, and in canonical form. `fingerprint` was made of the request by
// MakeFingerprint, with `versions`.
void AddResolvedFields(const Method& method, const google::protobuf::Message& request,
                       const google::protobuf::Message& defaults, store::v1::Fingerprint* fingerprint,
                       absl::Span<const FingerprintVersion> versions = FingerprintVersions());

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_RESOLVED_FIELDS_H_
