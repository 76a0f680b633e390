#include "hapax/interceptors/fingerprint.h"

#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "hapax/interceptors/canonical.h"
#include "hapax/interceptors/digest.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::UnknownFieldSet;
using store::v1::FieldDigest;
using store::v1::Fingerprint;

constexpr size_t kExactDigestSize = 16;

std::string ExactDigest(const Rule& rule, std::string_view bytes) {
  std::string without_token;
  without_token.reserve(bytes.size());
  ForEachWireField(bytes, [&](int number, std::string_view field) {
    if (number != rule.token_field().TopLevelNumber()) without_token += field;
  });
  const Sha256Digest digest = Sha256(without_token);
  return {reinterpret_cast<const char*>(digest.data()), kExactDigestSize};
}

uint64_t DigestOfField(std::string_view encoded) {
  const Sha256Digest digest = Sha256(encoded);
  uint64_t first_bytes = 0;
  std::memcpy(&first_bytes, digest.data(), sizeof(first_bytes));
  return first_bytes;
}

// The encodings, as they came, of the top-level fields that `wanted` picks, by number.
template <typename Wanted>
std::map<int, std::string> EncodingsAsTheyCame(std::string_view bytes, Wanted wanted) {
  std::map<int, std::string> encodings;
  ForEachWireField(bytes, [&](int number, std::string_view field) {
    if (wanted(number)) encodings[number] += field;
  });
  return encodings;
}

// Digests by meaning, in the order of field numbers.
std::map<int, FieldDigest> DigestFields(const Method& method, const Message& request, std::string_view bytes) {
  std::unique_ptr<Message> canonical;
  if (method.canonicalize != nullptr) {
    canonical.reset(request.New());
    canonical->CopyFrom(request);
    method.canonicalize(canonical.get());
  }
  const Message& meaning = canonical == nullptr ? request : *canonical;

  std::map<int, FieldDigest> digests;
  const auto add = [&](int number, std::string_view encoded, bool unknown) {
    FieldDigest& digest = digests[number];
    digest.set_number(number);
    digest.set_digest(DigestOfField(encoded));
    digest.set_unknown(unknown);
  };
  std::vector<const FieldDescriptor*> fields;
  meaning.GetReflection()->ListFields(meaning, &fields);
  std::string encoded;
  for (const FieldDescriptor* field : fields) {
    if (field->number() == method.rule->token_field().TopLevelNumber()) continue;
    if (field->number() == method.rule->region_field().TopLevelNumber()) continue;
    encoded.clear();
    AppendCanonicalField(meaning, *field, &encoded);
    add(field->number(), encoded, /*unknown=*/false);
  }
  const UnknownFieldSet& unknown_fields = request.GetReflection()->GetUnknownFields(request);
  if (unknown_fields.empty()) return digests;
  std::set<int> unknown;
  for (int i = 0; i < unknown_fields.field_count(); ++i) unknown.insert(unknown_fields.field(i).number());
  const auto is_unknown = [&](int number) { return unknown.contains(number); };
  for (const auto& [number, raw] : EncodingsAsTheyCame(bytes, is_unknown)) add(number, raw, /*unknown=*/true);
  return digests;
}

std::string NameOf(const Message& request, int number) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByNumber(number);
  return field == nullptr ? absl::StrCat("unknown field ", number) : field->name();
}

}  // namespace

Fingerprint MakeFingerprint(const Method& method, const Message& request, std::string_view bytes) {
  Fingerprint fingerprint;
  fingerprint.set_version(kFingerprintVersion);
  fingerprint.set_exact(ExactDigest(*method.rule, bytes));
  for (auto& [number, digest] : DigestFields(method, request, bytes)) *fingerprint.add_fields() = std::move(digest);
  return fingerprint;
}

absl::StatusOr<std::vector<std::string>> DifferingFields(const Fingerprint& recorded, const Method& method,
                                                         const Message& request, std::string_view bytes) {
  std::vector<std::string> differing;
  if (recorded.exact() == ExactDigest(*method.rule, bytes)) return differing;
  if (recorded.version() != kFingerprintVersion) {
    return absl::DataLossError(
        absl::StrCat("a fingerprint has version ", recorded.version(), ", this server knows ", kFingerprintVersion));
  }

  std::map<int, FieldDigest> now = DigestFields(method, request, bytes);
  std::set<int> differs;
  for (const FieldDigest& then : recorded.fields()) {
    const auto found = now.find(then.number());
    bool same = found != now.end() && found->second.digest() == then.digest();
    if (!same && then.unknown()) {
      // This server may know the field by now: then the bytes, as they came then and now, decide.
      const auto is_it = [&](int number) { return number == then.number(); };
      const auto raw = EncodingsAsTheyCame(bytes, is_it);
      same = !raw.empty() && DigestOfField(raw.begin()->second) == then.digest();
    }
    if (!same) differs.insert(then.number());
    if (found != now.end()) now.erase(found);
  }
  for (const auto& [number, digest] : now) differs.insert(number);
  for (int number : differs) differing.push_back(NameOf(request, number));
  return differing;
}

}  // namespace hapax
