#include "hapax/server/hosting/listing.h"

#include <openssl/crypto.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "hapax/base/check.h"
#include "hapax/base/digest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/storage/key.h"

namespace hapax {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;
constexpr size_t kCodeSize = 16;
constexpr char kPageSize[] = "page_size";
constexpr char kPageToken[] = "page_token";

// The part of the request to which a token is bound: everything but the page's own fields.
std::string QueryOf(const google::protobuf::Message& request, std::string_view tenant) {
  const std::unique_ptr<google::protobuf::Message> query(request.New());
  query->CopyFrom(request);
  for (const char* field : {kPageSize, kPageToken}) {
    query->GetReflection()->ClearField(query.get(), query->GetDescriptor()->FindFieldByName(field));
  }
  const Sha256Digest digest = Sha256(KeyBuilder()
                                         .String(PublicName(query->GetDescriptor()->full_name()))
                                         .String(tenant)
                                         .String(query->SerializeAsString())
                                         .Build());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Compares in constant time, so that the time does not reveal how much of a token is right.
bool IsSame(const std::string& expected, const std::string& token) {
  return expected.size() == token.size() && CRYPTO_memcmp(expected.data(), token.data(), token.size()) == 0;
}

}  // namespace

absl::StatusOr<Page> Page::Of(const google::protobuf::Message& request, std::string_view key, std::string_view tenant) {
  const auto* size_field = request.GetDescriptor()->FindFieldByName(kPageSize);
  const auto* token_field = request.GetDescriptor()->FindFieldByName(kPageToken);
  HAPAX_CHECK(size_field != nullptr && token_field != nullptr, "every list request has the fields of AIP-158");
  Page page;
  page.key_ = key;
  page.query_ = QueryOf(request, tenant);
  page.size_ = request.GetReflection()->GetInt32(request, size_field);
  if (page.size_ < 0 || page.size_ > kMaxPageSize) return RefuseParameter(kPageSize, "must be 0 to 1000; 0 means 100");
  if (page.size_ == 0) page.size_ = kDefaultPageSize;

  const std::string token = request.GetReflection()->GetString(request, token_field);
  if (token.empty()) return page;
  std::string decoded;
  if (absl::WebSafeBase64Unescape(token, &decoded) && decoded.size() > kCodeSize) {
    page.after_ = decoded.substr(kCodeSize);
  }
  if (page.after_.empty() || !IsSame(page.TokenAfter(page.after_), token)) {
    return RefuseParameter(kPageToken, "must be next_page_token of a reply to the same request, or empty");
  }
  return page;
}

std::string Page::TokenAfter(std::string_view key) const {
  const Sha256Digest code = HmacSha256(key_, query_ + std::string(key));
  return absl::WebSafeBase64Escape(std::string(reinterpret_cast<const char*>(code.data()), kCodeSize) +
                                   std::string(key));
}

std::string LastElement(std::string_view key) {
  KeyParser parser(key);
  std::string last;
  while (!parser.AtEnd()) {
    absl::StatusOr<std::string> element = parser.String();
    if (!element.ok()) break;
    last = *std::move(element);
  }
  return last;
}

absl::StatusOr<std::string> ListNames(const std::set<std::string>& names, Page page,
                                      absl::FunctionRef<absl::StatusOr<size_t>(const std::string&)> take) {
  std::string last;
  for (auto name = names.upper_bound(page.after()); name != names.end(); ++name) {
    if (page.IsFull()) return page.TokenAfter(last);
    HAPAX_ASSIGN_OR_RETURN(const size_t bytes, take(*name));
    page.Take(bytes);
    last = *name;
  }
  return std::string();
}

}  // namespace hapax
