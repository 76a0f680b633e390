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

// The version that new fingerprints have.
inline constexpr uint32_t kFingerprintVersion = 2;

// Of so many fields that the server does not know a fingerprint has a digest each; of the others, in the order of their
// numbers, it has one. So it takes some 1 KiB at the most beside the known fields, whatever came.
inline constexpr size_t kMaxUnknownDigests = 64;

// What the parameters of a call are, so that a retry can be told from another request (C10, C22), without
// keeping them:
//
//   exact    SHA-256, first 16 bytes, of the request's bytes as they came, less the token field; the same in every
//            version
//   fields   digests by meaning of its top-level fields, less the token and the region, as the fingerprint's
//            version has them (fingerprint_versions.h)
//   more_unknown  one digest of the unknown fields beyond kMaxUnknownDigests, if there are any
//   resolved how else fields can say the same, once the handler has told what it took for unset ones
//            (resolved_fields.h); not of MakeFingerprint
//
// The region is left out because the resolved one is part of the token's scope: a region that is named and
// the same one implied are no difference.
// Requires: `method` has a rule, and `request` is what `bytes` decode to. `versions` are those that this server knows;
// the last one is used.
[[nodiscard]] store::v1::Fingerprint MakeFingerprint(
    const Method& method, const google::protobuf::Message& request, std::string_view bytes,
    absl::Span<const FingerprintVersion> versions = FingerprintVersions());

// Names of the top-level fields in which the request differs from the one that `recorded` was made of, in the
// order of their numbers; empty when they mean the same, where unset fields mean what they meant then. The version that
// made `recorded` judges. Equal bytes are always the same, so a true retry is recognized whatever became of the message
// definition since. The time it takes grows with the bytes, and not with the number of fields that differ. Errors:
// DATA_LOSS when `recorded` has a version that is not among `versions`.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> DifferingFields(
    const store::v1::Fingerprint& recorded, const Method& method, const google::protobuf::Message& request,
    std::string_view bytes, absl::Span<const FingerprintVersion> versions = FingerprintVersions());

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_H_
