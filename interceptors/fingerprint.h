#ifndef HAPAX_INTERCEPTORS_FINGERPRINT_H_
#define HAPAX_INTERCEPTORS_FINGERPRINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// The version of the algorithm below. A change to it is a new version beside this one: records of every
// version stay readable for good.
inline constexpr uint32_t kFingerprintVersion = 1;

// What the parameters of a call are, so that a retry can be told from another request (C10, C22), without
// keeping them. Version 1:
//
//   exact    SHA-256, first 16 bytes, of the request's bytes as they came, less the token field
//   fields   for each top-level field that is set, less the token and the region: SHA-256, first 8
//            bytes, little-endian, of its canonical form (canonical.h) in the canonical request
//            (Method::canonicalize); of an unknown field, of its bytes as they came
//
// The region is left out because the resolved one is part of the token's scope: a region that is named and
// the same one implied are no difference.
// Requires: `method` has a rule, and `request` is what `bytes` decode to.
[[nodiscard]] store::v1::Fingerprint MakeFingerprint(const Method& method, const google::protobuf::Message& request,
                                                     std::string_view bytes);

// Names of the top-level fields in which the request differs from the one that `recorded` was made of, in the
// order of their numbers; empty when they mean the same. Equal bytes are always the same, so a true retry
// is recognized whatever became of the message definition since.
// Errors: DATA_LOSS when `recorded` has a version that this server does not know.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> DifferingFields(const store::v1::Fingerprint& recorded,
                                                                       const Method& method,
                                                                       const google::protobuf::Message& request,
                                                                       std::string_view bytes);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_FINGERPRINT_H_
