#include "hapax/server/doors/ec2/signature.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hapax/base/digest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/doors/ec2/ec2_error.h"

namespace hapax::ec2 {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr char kTerminal[] = "aws4_request";
constexpr absl::Duration kMaxSkew = absl::Minutes(15);
constexpr int kMaxExpiresS = 7 * 24 * 3600;  // AWS's own bound.
constexpr size_t kScopeParts = 4;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string Bytes(const Sha256Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }
std::string HexOf(const Sha256Digest& digest) { return absl::BytesToHexString(Bytes(digest)); }
std::string Hmac(std::string_view key, std::string_view text) { return Bytes(HmacSha256(key, text)); }

absl::Status Incomplete(std::string_view message) { return RefuseWith("IncompleteSignature", message); }
absl::Status Mismatch() {
  return RefuseWith("SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your AWS "
                    "Secret Access Key and signing method.",
                    403);
}
absl::Status Expired() {
  return RefuseWith("RequestExpired", "Request has expired: its time is not within 15 minutes of the server's", 403);
}

bool IsEqual(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string ValueOf(const FormPairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [name](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? "" : found->second;
}

// "AKID/DATE/REGION/SERVICE/aws4_request".
absl::Status ReadCredential(std::string_view credential, Signature* signature) {
  const size_t slash = credential.find('/');
  if (slash == std::string_view::npos) return Incomplete("Credential must be ID/DATE/REGION/SERVICE/aws4_request");
  signature->access_key_id = credential.substr(0, slash);
  signature->scope = credential.substr(slash + 1);
  const std::vector<std::string> parts = absl::StrSplit(signature->scope, '/');
  if (parts.size() != kScopeParts || parts.back() != kTerminal || !absl::StartsWith(signature->date, parts[0]) ||
      parts[0].size() != 8) {
    return Incomplete("Credential must be ID/DATE/REGION/SERVICE/aws4_request, with the date of X-Amz-Date");
  }
  signature->region = parts[1];
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Signature>> OfHeader(const HttpRequest& request, std::string_view authorization) {
  Signature signature{.form = Signature::Form::kHeader, .date = std::string(request.Header("x-amz-date").value_or(""))};
  std::string credential;
  for (absl::string_view part : absl::StrSplit(View(authorization.substr(sizeof(kAlgorithm) - 1)), ',')) {
    const std::pair<std::string, std::string> halves =
        absl::StrSplit(absl::StripAsciiWhitespace(part), absl::MaxSplits('=', 1));
    if (halves.first == "Credential") credential = halves.second;
    if (halves.first == "SignedHeaders") signature.signed_headers = halves.second;
    if (halves.first == "Signature") signature.value = halves.second;
  }
  HAPAX_RETURN_IF_ERROR(ReadCredential(credential, &signature));
  return signature;
}

absl::StatusOr<std::optional<Signature>> OfQuery(const FormPairs& query) {
  if (ValueOf(query, "X-Amz-Algorithm") != kAlgorithm) return Incomplete("X-Amz-Algorithm must be AWS4-HMAC-SHA256");
  Signature signature{.form = Signature::Form::kPresigned,
                      .date = ValueOf(query, "X-Amz-Date"),
                      .expires = ValueOf(query, "X-Amz-Expires"),
                      .signed_headers = ValueOf(query, "X-Amz-SignedHeaders"),
                      .value = ValueOf(query, "X-Amz-Signature")};
  HAPAX_RETURN_IF_ERROR(ReadCredential(ValueOf(query, "X-Amz-Credential"), &signature));
  return signature;
}

absl::StatusOr<std::optional<Signature>> OfVersion2(const FormPairs& pairs) {
  if (ValueOf(pairs, "SignatureVersion") != "2" || ValueOf(pairs, "SignatureMethod") != "HmacSHA256") {
    return Incomplete("SignatureVersion must be 2, and SignatureMethod HmacSHA256");
  }
  return Signature{.form = Signature::Form::kVersion2,
                   .access_key_id = ValueOf(pairs, "AWSAccessKeyId"),
                   .date = ValueOf(pairs, "Timestamp"),
                   .expires = ValueOf(pairs, "Expires"),
                   .value = ValueOf(pairs, "Signature")};
}

FormPairs AllOf(const SignedRequest& request) {
  FormPairs all = request.query;
  all.insert(all.end(), request.body.begin(), request.body.end());
  return all;
}

// Encoded, sorted by bytes, and without the signature itself.
std::string CanonicalQuery(const FormPairs& pairs, std::string_view left_out) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(pairs.size());
  for (const auto& [name, value] : pairs) {
    if (name != left_out) encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  return absl::StrJoin(encoded, "&", absl::PairFormatter("="));
}

std::string PathAsSent(const HttpRequest& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  return path.empty() ? "/" : path;
}

// Encoded once more, as all services but S3 want it.
std::string CanonicalPath(const HttpRequest& request) {
  return absl::StrJoin(absl::StrSplit(PathAsSent(request), '/'), "/", [](std::string* out, absl::string_view part) {
    out->append(PercentEncode({part.data(), part.size()}));
  });
}

// The values of a header, with blanks collapsed.
std::string CanonicalHeader(const HttpRequest& request, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [header, value] : request.headers) {
    if (header != name) continue;
    values.push_back(value);
    absl::RemoveExtraAsciiWhitespace(&values.back());
  }
  return absl::StrJoin(values, ",");
}

absl::StatusOr<std::string> CanonicalRequest(const Signature& signature, const SignedRequest& signed_request) {
  const HttpRequest& request = signed_request.request;
  const std::vector<std::string> names = absl::StrSplit(signature.signed_headers, ';');
  const auto covers = [&names](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!covers("host") || (signature.form == Signature::Form::kHeader && !covers("x-amz-date"))) {
    return Incomplete("SignedHeaders must have host, and x-amz-date with header Authorization");
  }
  std::string headers;
  for (const std::string& name : names) absl::StrAppend(&headers, name, ":", CanonicalHeader(request, name), "\n");
  const std::string query =
      CanonicalQuery(signed_request.query, signature.form == Signature::Form::kPresigned ? "X-Amz-Signature" : "");
  return absl::StrCat(request.method, "\n", CanonicalPath(request), "\n", query, "\n", headers, "\n",
                      signature.signed_headers, "\n", HexOf(Sha256(request.body)));
}

// ISO 8601's basic form, such as "20261128T070000Z".
bool ParseBasicTime(const std::string& text, absl::Time* time) {
  constexpr size_t kLength = 16;
  if (text.size() != kLength || text[8] != 'T' || text.back() != 'Z') return false;
  const std::string extended = absl::StrCat(text.substr(0, 4), "-", text.substr(4, 2), "-", text.substr(6, 5), ":",
                                            text.substr(11, 2), ":", text.substr(13));
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, extended, time, &error);
}

absl::Status CheckTime(const Signature& signature, absl::Time now) {
  absl::Time made;
  if (!ParseBasicTime(signature.date, &made)) {
    return Incomplete("X-Amz-Date must be such as 20261128T070000Z");
  }
  if (made > now + kMaxSkew) return Expired();
  if (signature.form == Signature::Form::kHeader) return made < now - kMaxSkew ? Expired() : absl::OkStatus();
  int expires_s = 0;
  if (!absl::SimpleAtoi(signature.expires, &expires_s) || expires_s < 1 || expires_s > kMaxExpiresS) {
    return Incomplete(absl::StrCat("X-Amz-Expires must be 1 to ", kMaxExpiresS, " seconds"));
  }
  return now > made + absl::Seconds(expires_s) ? Expired() : absl::OkStatus();
}

absl::Status VerifyVersion4(const Signature& signature, const SignedRequest& request, std::string_view secret,
                            absl::Time now) {
  HAPAX_ASSIGN_OR_RETURN(const std::string canonical, CanonicalRequest(signature, request));
  const std::string to_sign =
      absl::StrCat(kAlgorithm, "\n", signature.date, "\n", signature.scope, "\n", HexOf(Sha256(canonical)));
  std::string key = absl::StrCat("AWS4", View(secret));
  for (const absl::string_view part : absl::StrSplit(signature.scope, '/')) key = Hmac(key, {part.data(), part.size()});
  if (!IsEqual(absl::BytesToHexString(Hmac(key, to_sign)), signature.value)) return Mismatch();
  // Only the owner of the secret learns of the clock.
  return CheckTime(signature, now);
}

absl::Status CheckTimeOfVersion2(const Signature& signature, absl::Time now) {
  absl::Time time;
  std::string error;
  const std::string& text = signature.expires.empty() ? signature.date : signature.expires;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return Incomplete("Timestamp or Expires must be such as 2026-11-28T07:00:00Z");
  }
  if (!signature.expires.empty()) {
    return now > time || time > now + absl::Seconds(kMaxExpiresS) ? Expired() : absl::OkStatus();
  }
  return absl::AbsDuration(now - time) > kMaxSkew ? Expired() : absl::OkStatus();
}

absl::Status VerifyVersion2(const Signature& signature, const SignedRequest& request, std::string_view secret,
                            absl::Time now) {
  const std::string host = absl::AsciiStrToLower(View(request.request.Header("host").value_or("")));
  const std::string to_sign = absl::StrCat(request.request.method, "\n", host, "\n", PathAsSent(request.request), "\n",
                                           CanonicalQuery(AllOf(request), "Signature"));
  if (!IsEqual(absl::Base64Escape(Hmac(secret, to_sign)), signature.value)) return Mismatch();
  return CheckTimeOfVersion2(signature, now);
}

}  // namespace

absl::StatusOr<std::optional<Signature>> SignatureOf(const SignedRequest& request) {
  const std::string_view authorization = request.request.Header("authorization").value_or("");
  if (absl::StartsWith(View(authorization), kAlgorithm)) return OfHeader(request.request, authorization);
  if (!ValueOf(request.query, "X-Amz-Signature").empty()) return OfQuery(request.query);
  const FormPairs all = AllOf(request);
  if (!ValueOf(all, "Signature").empty()) return OfVersion2(all);
  return std::nullopt;
}

absl::Status Verify(const Signature& signature, const SignedRequest& request, std::string_view secret, absl::Time now) {
  if (signature.form == Signature::Form::kVersion2) return VerifyVersion2(signature, request, secret, now);
  return VerifyVersion4(signature, request, secret, now);
}

}  // namespace hapax::ec2
