#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/idempotency/fingerprint_versions.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// The version of new fingerprints.
inline constexpr uint32_t kFingerprintVersion = 2;

// The maximum number of unknown fields with a digest of their own: those with the lowest numbers. The others share one
// digest. This bounds a fingerprint to about 1 KiB beside the known fields.
inline constexpr size_t kMaxUnknownDigests = 64;

// The parameters of a call as digests, so that a retry can be told from another request (C10, C22) without keeping the
// request:
//
//   exact         SHA-256, first 16 bytes, of the request's bytes as they arrived, less the token field; the same in
//                 every version
//   fields        digests by meaning of the top-level fields, less the token and the region, as the fingerprint's
//                 version defines them (fingerprint_versions.h)
//   more_unknown  one digest of the unknown fields beyond kMaxUnknownDigests, if there are any
//   resolved      other ways in which fields can say the same, once the handler has recorded its defaults
//                 (resolved_fields.h); MakeFingerprint leaves it empty
//
// The region is left out because the token's scope has the resolved region. So naming a region and implying the same
// region make no difference.
//
// Requires: `method` has a rule, and `request` is decoded from `bytes`. `versions` are those that this server knows;
// the last one is used.
[[nodiscard]] store::v1::Fingerprint MakeFingerprint(
    const Method& method, const google::protobuf::Message& request, std::string_view bytes,
    absl::Span<const FingerprintVersion> versions = FingerprintVersions());

// The names of the top-level fields that differ between the request and the one recorded, in order of their numbers.
// Empty when both mean the same; an unset field means what it meant when it was recorded. The version of `recorded`
// decides. Requests with equal bytes are always the same, so a true retry is recognized even if the message definition
// has changed.
//
// The time grows with the bytes, not with the number of differing fields. Errors: DATA_LOSS when the version of
// `recorded` is not among `versions`.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> DifferingFields(
    const store::v1::Fingerprint& recorded, const Method& method, const google::protobuf::Message& request,
    std::string_view bytes, absl::Span<const FingerprintVersion> versions = FingerprintVersions());

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_H_
