#include "hapax/interceptors/idempotency/fingerprint_versions.h"

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/unknown_field_set.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/idempotency/canonical.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::UnknownFieldSet;
using store::v1::FieldDigest;

// Version 1: the first 8 bytes, little-endian, of a SHA-256. For a known field it is of the canonical form
// (canonical.h) in the canonical request (Method::canonicalize), with an Any as bytes. For an unknown field it is of
// the bytes as they arrived.
//
// Version 2: the same, with an Any by its meaning.

uint64_t DigestRaw(std::string_view encoded) {
  const Sha256Digest digest = Sha256(encoded);
  uint64_t first_bytes = 0;
  std::memcpy(&first_bytes, digest.data(), sizeof(first_bytes));
  return first_bytes;
}

template <AnyForm any_form>
uint64_t DigestField(const Message& canonical, const FieldDescriptor& field) {
  std::string encoded;
  AppendCanonicalField(canonical, field, &encoded, any_form);
  return DigestRaw(encoded);
}

template <AnyForm any_form>
std::map<int, FieldDigest> DigestFields(const Method& method, const Message& request, std::string_view bytes) {
  const std::unique_ptr<Message> canonical = CanonicalRequest(method, request);
  const Message& meaning = canonical == nullptr ? request : *canonical;

  std::map<int, FieldDigest> digests;
  const auto add = [&](int number, uint64_t value, bool unknown) {
    FieldDigest& digest = digests[number];
    digest.set_number(number);
    digest.set_digest(value);
    digest.set_unknown(unknown);
  };
  std::vector<const FieldDescriptor*> fields;
  meaning.GetReflection()->ListFields(meaning, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->number() == method.rule->token_field().TopLevelNumber()) continue;
    if (field->number() == method.rule->region_field().TopLevelNumber()) continue;
    add(field->number(), DigestField<any_form>(meaning, *field), /*unknown=*/false);
  }
  const UnknownFieldSet& unknown_fields = request.GetReflection()->GetUnknownFields(request);
  if (unknown_fields.empty()) return digests;
  std::set<int> unknown;
  for (int i = 0; i < unknown_fields.field_count(); ++i) unknown.insert(unknown_fields.field(i).number());
  std::map<int, std::string> as_they_came;
  ForEachWireField(bytes, [&](int number, std::string_view field) {
    if (unknown.contains(number)) as_they_came[number] += field;
  });
  for (const auto& [number, raw] : as_they_came) add(number, DigestRaw(raw), /*unknown=*/true);
  return digests;
}

constexpr FingerprintVersion kVersions[] = {
    {.number = 1,
     .digest_fields = DigestFields<AnyForm::kBytes>,
     .digest_field = DigestField<AnyForm::kBytes>,
     .digest_raw = DigestRaw},
    {.number = 2,
     .digest_fields = DigestFields<AnyForm::kMeaning>,
     .digest_fields_unread = DigestFields<AnyForm::kBytes>,
     .digest_field = DigestField<AnyForm::kMeaning>,
     .digest_raw = DigestRaw},
};

}  // namespace

std::unique_ptr<Message> CanonicalRequest(const Method& method, const Message& request) {
  if (method.canonicalize == nullptr) return nullptr;
  std::unique_ptr<Message> canonical(request.New());
  canonical->CopyFrom(request);
  method.canonicalize(canonical.get());
  return canonical;
}

absl::Span<const FingerprintVersion> FingerprintVersions() { return kVersions; }

}  // namespace hapax
