#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_VERSIONS_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_VERSIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "hapax/interceptors/method.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// One version of how parameters are digested by meaning. Records hold what it made for as long as they are kept,
// so it never changes: an improvement is another version.
struct FingerprintVersion {
  uint32_t number;

  // Digests of the top-level fields that are set, less the token and the region, by field number.
  using DigestFields = std::map<int, store::v1::FieldDigest>(const Method& method,
                                                             const google::protobuf::Message& request,
                                                             std::string_view bytes);
  DigestFields* digest_fields;

  // The same as a server has them that knows the types of no Any. What was recorded before this server knew a type is
  // found so. Null where there is no difference.
  DigestFields* digest_fields_unread = nullptr;

  // The digest of a field that is set, of a request in canonical form.
  uint64_t (*digest_field)(const google::protobuf::Message& canonical, const google::protobuf::FieldDescriptor& field);

  // The digest of a field's bytes as they came: what digest_fields has of a field that the server does not know.
  uint64_t (*digest_raw)(std::string_view encoded);
};

// Those that this server knows. The last one makes new fingerprints.
[[nodiscard]] absl::Span<const FingerprintVersion> FingerprintVersions();

// The request in the form that its digests are made of (Method::canonicalize). Null: as it is.
[[nodiscard]] std::unique_ptr<google::protobuf::Message> CanonicalRequest(const Method& method,
                                                                          const google::protobuf::Message& request);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_VERSIONS_H_
