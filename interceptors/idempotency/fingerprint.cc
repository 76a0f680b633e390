#include "hapax/interceptors/idempotency/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/idempotency/canonical.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::internal::WireFormatLite;
using store::v1::FieldDigest;
using store::v1::Fingerprint;
using store::v1::ResolvedField;

constexpr size_t kExactDigestSize = 16;

// Whether a field on the wire may hold a string. A field with the token's number that cannot hold one is unknown to the
// parser.
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

// The encodings of the top-level fields as they arrived, by number.
using Encodings = std::map<int, std::string>;

Encodings EncodingsIn(std::string_view bytes) {
  Encodings encodings;
  ForEachWireField(bytes, [&](int number, std::string_view field) { encodings[number] += field; });
  return encodings;
}

uint64_t DigestTogether(const FingerprintVersion& version, const Encodings& encodings,
                        const std::vector<int>& numbers) {
  std::string together;
  for (const int number : numbers) {
    if (const auto found = encodings.find(number); found != encodings.end()) together += found->second;
  }
  return version.digest_raw(together);
}

std::string NameOf(const Message& request, int number) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByNumber(number);
  return field == nullptr ? absl::StrCat("unknown field ", number) : field->name();
}

// Removes from `now` the fields that share one digest in `recorded`; `now` holds the fields not listed there. Returns
// false when they differ from those recorded. The server may have learned some of them since: these are included if
// that makes the digest match.
bool TakeMoreUnknown(const Fingerprint& recorded, const FingerprintVersion& version, const Encodings& encodings,
                     int last_listed, std::map<int, FieldDigest>& now) {
  std::vector<int> unknown;
  std::vector<int> learned_too;
  for (const auto& [number, digest] : now) {
    if (number <= last_listed) continue;
    if (digest.unknown()) unknown.push_back(number);
    learned_too.push_back(number);
  }
  const auto take = [&](const std::vector<int>& numbers) {
    for (const int number : numbers) now.erase(number);
  };
  if (learned_too.size() > unknown.size() &&
      DigestTogether(version, encodings, learned_too) == recorded.more_unknown()) {
    take(learned_too);
    return true;
  }
  take(unknown);
  return DigestTogether(version, encodings, unknown) == recorded.more_unknown();
}

// Other ways to say what a field said, by field number (token.proto).
class Resolved {
 public:
  explicit Resolved(const Fingerprint& recorded) {
    for (const ResolvedField& field : recorded.resolved()) fields_[field.number()] = &field;
  }
  // Whether the field's current digest, null when it is unset, means what the field meant.
  [[nodiscard]] bool Includes(int number, const FieldDigest* now) const {
    const auto found = fields_.find(number);
    if (found == fields_.end()) return false;
    if (now == nullptr) return found->second->unset();
    const auto& digests = found->second->digests();
    return std::find(digests.begin(), digests.end(), now->digest()) != digests.end();
  }

 private:
  std::map<int, const ResolvedField*> fields_;
};

// Removes from `numbers` those that are not in `others`.
void Intersect(std::set<int>& numbers, const std::set<int>& others) {
  std::erase_if(numbers, [&](int number) { return !others.contains(number); });
}

// How a request differs from the recorded one.
struct Differences {
  std::set<int> said;   // Fields with other contents.
  std::set<int> meant;  // Those of them with another meaning.
  bool more_unknown = false;

  [[nodiscard]] bool any() const { return more_unknown || !meant.empty(); }
  // Keeps only the differences that are in `other`, too.
  void Keep(const Differences& other) {
    Intersect(said, other.said);
    Intersect(meant, other.meant);
    more_unknown = more_unknown && other.more_unknown;
  }
};

// Compares the recorded request with one that has the digests `now` and arrived as `bytes`.
Differences Differ(const Fingerprint& recorded, const FingerprintVersion& version, std::map<int, FieldDigest> now,
                   std::string_view bytes) {
  std::optional<Encodings> encodings;  // Made on first use.
  const auto as_it_came = [&]() -> const Encodings& {
    if (!encodings.has_value()) encodings = EncodingsIn(bytes);
    return *encodings;
  };
  const Resolved resolved(recorded);
  Differences differences;
  const auto add = [&](int number, const FieldDigest* digest) {
    differences.said.insert(number);
    if (!resolved.Includes(number, digest)) differences.meant.insert(number);
  };
  int last_unknown = 0;
  for (const FieldDigest& then : recorded.fields()) {
    const auto found = now.find(then.number());
    const FieldDigest* const digest = found == now.end() ? nullptr : &found->second;
    bool same = digest != nullptr && digest->digest() == then.digest();
    if (!same && then.unknown()) {
      // This server may have learned the field since: compare the bytes as they arrived, then and now.
      const auto raw = as_it_came().find(then.number());
      same = raw != as_it_came().end() && version.digest_raw(raw->second) == then.digest();
    }
    if (!same) add(then.number(), digest);
    if (then.unknown()) last_unknown = std::max(last_unknown, then.number());
    if (found != now.end()) now.erase(found);
  }
  differences.more_unknown =
      recorded.has_more_unknown() && !TakeMoreUnknown(recorded, version, as_it_came(), last_unknown, now);
  for (const auto& [number, digest] : now) add(number, &digest);
  return differences;
}

}  // namespace

Fingerprint MakeFingerprint(const Method& method, const Message& request, std::string_view bytes,
                            absl::Span<const FingerprintVersion> versions) {
  const FingerprintVersion& newest = versions.back();
  Fingerprint fingerprint;
  fingerprint.set_version(newest.number);
  fingerprint.set_exact(ExactDigest(*method.rule, bytes));
  size_t unknown = 0;
  std::vector<int> more_unknown;
  for (auto& [number, digest] : newest.digest_fields(method, request, bytes)) {
    if (digest.unknown() && ++unknown > kMaxUnknownDigests) {
      more_unknown.push_back(number);
    } else {
      *fingerprint.add_fields() = std::move(digest);
    }
  }
  if (!more_unknown.empty()) {
    fingerprint.set_more_unknown(DigestTogether(newest, EncodingsIn(bytes), more_unknown));
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

  Differences found = Differ(recorded, *version, version->digest_fields(method, request, bytes), bytes);
  if (found.any() && version->digest_fields_unread != nullptr) {
    found.Keep(Differ(recorded, *version, version->digest_fields_unread(method, request, bytes), bytes));
  }
  if (!found.any()) return differing;
  // The meaning of an unset field may depend on another field, so all fields with other contents are named.
  for (const int number : found.said) differing.push_back(NameOf(request, number));
  if (found.more_unknown) differing.emplace_back("other unknown fields");
  return differing;
}

}  // namespace hapax
