#include "hapax/interceptors/idempotency/stored_reply.h"

#include <utility>

#include "hapax/storage/key.h"

namespace hapax {
namespace {

std::string SealContext(const TokenKey& key, const store::v1::TokenRecord& record) {
  return KeyBuilder().String(EncodeTokenKey(key)).String(record.method()).Build();
}

}  // namespace

void StoreReply(const Rule& rule, const SealKeys& keys, const TokenKey& key, std::string_view reply,
                store::v1::TokenRecord& record) {
  if (rule.secret_reply()) {
    *record.mutable_sealed_reply() = keys.Seal(reply, SealContext(key, record));
  } else {
    record.set_reply(std::string(reply));
  }
}

absl::StatusOr<std::string> ReadReply(const SealKeys& keys, const TokenKey& key, store::v1::TokenRecord record) {
  if (record.has_sealed_reply()) return keys.Unseal(record.sealed_reply(), SealContext(key, record));
  return std::move(*record.mutable_reply());
}

}  // namespace hapax
