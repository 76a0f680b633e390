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

// One version of how parameters are digested by meaning. Stored records hold its digests, so a version never changes:
// an improvement is a new version.
struct FingerprintVersion {
  uint32_t number;

  // Digests of the top-level fields that are set, less the token and the region, by field number.
  using DigestFields = std::map<int, store::v1::FieldDigest>(const Method& method,
                                                             const google::protobuf::Message& request,
                                                             std::string_view bytes);
  DigestFields* digest_fields;

  // Digests as made by a server that does not know the type of any Any. They match what was recorded before this server
  // learned a type. Null when the version makes no difference there.
  DigestFields* digest_fields_unread = nullptr;

  // The digest of a set field of a request in canonical form.
  uint64_t (*digest_field)(const google::protobuf::Message& canonical, const google::protobuf::FieldDescriptor& field);

  // The digest of a field's bytes as they arrived: the digest that digest_fields makes of an unknown field.
  uint64_t (*digest_raw)(std::string_view encoded);
};

// The versions that this server knows. The last one makes new fingerprints.
[[nodiscard]] absl::Span<const FingerprintVersion> FingerprintVersions();

// The request in the form that is digested (Method::canonicalize); null when the request has it already.
[[nodiscard]] std::unique_ptr<google::protobuf::Message> CanonicalRequest(const Method& method,
                                                                          const google::protobuf::Message& request);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_VERSIONS_H_
