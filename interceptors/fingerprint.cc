#include "hapax/interceptors/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/interceptors/canonical.h"
#include "hapax/interceptors/digest.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::internal::WireFormatLite;
using store::v1::FieldDigest;
using store::v1::Fingerprint;

constexpr size_t kExactDigestSize = 16;

// Whether a field on the wire may hold a string. One that has the token's number and cannot is unknown to the parser.
bool IsLengthDelimited(std::string_view field) {
  return WireFormatLite::GetTagWireType(static_cast<uint8_t>(field.front())) ==
         WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}

std::string ExactDigest(const Rule& rule, std::string_view bytes) {
  std::string without_token;
  without_token.reserve(bytes.size());
  ForEachWireField(bytes, [&](int number, std::string_view field) {
    const bool is_token = number == rule.token_field().TopLevelNumber() && IsLengthDelimited(field);
    if (!is_token) without_token += field;
  });
  const Sha256Digest digest = Sha256(without_token);
  return {reinterpret_cast<const char*>(digest.data()), kExactDigestSize};
}

// The encoding of one top-level field, as it came; empty when it is not there.
std::string EncodingAsItCame(std::string_view bytes, int wanted) {
  std::string encoding;
  ForEachWireField(bytes, [&](int number, std::string_view field) {
    if (number == wanted) encoding += field;
  });
  return encoding;
}

std::string NameOf(const Message& request, int number) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByNumber(number);
  return field == nullptr ? absl::StrCat("unknown field ", number) : field->name();
}

}  // namespace

Fingerprint MakeFingerprint(const Method& method, const Message& request, std::string_view bytes,
                            absl::Span<const FingerprintVersion> versions) {
  const FingerprintVersion& newest = versions.back();
  Fingerprint fingerprint;
  fingerprint.set_version(newest.number);
  fingerprint.set_exact(ExactDigest(*method.rule, bytes));
  for (auto& [number, digest] : newest.digest_fields(method, request, bytes)) {
    *fingerprint.add_fields() = std::move(digest);
  }
  return fingerprint;
}

absl::StatusOr<std::vector<std::string>> DifferingFields(const Fingerprint& recorded, const Method& method,
                                                         const Message& request, std::string_view bytes,
                                                         absl::Span<const FingerprintVersion> versions) {
  std::vector<std::string> differing;
  if (recorded.exact() == ExactDigest(*method.rule, bytes)) return differing;
  const auto* const version = std::find_if(versions.begin(), versions.end(), [&](const FingerprintVersion& candidate) {
    return candidate.number == recorded.version();
  });
  if (version == versions.end()) {
    return absl::DataLossError(
        absl::StrCat("a fingerprint has version ", recorded.version(), ", which this server does not know"));
  }

  std::map<int, FieldDigest> now = version->digest_fields(method, request, bytes);
  std::set<int> differs;
  for (const FieldDigest& then : recorded.fields()) {
    const auto found = now.find(then.number());
    bool same = found != now.end() && found->second.digest() == then.digest();
    if (!same && then.unknown()) {
      // This server may know the field by now: then the bytes, as they came then and now, decide.
      const std::string raw = EncodingAsItCame(bytes, then.number());
      same = !raw.empty() && version->digest_raw(raw) == then.digest();
    }
    if (!same) differs.insert(then.number());
    if (found != now.end()) now.erase(found);
  }
  for (const auto& [number, digest] : now) differs.insert(number);
  for (int number : differs) differing.push_back(NameOf(request, number));
  return differing;
}

}  // namespace hapax
