#include "hapax/interceptors/idempotency/token_expiry.h"

#include "hapax/base/check.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

ExpiryRule::Fate TokenExpiry::FateOf(std::string_view key, std::string_view value, std::string& replacement) const {
  store::v1::TokenRecord record;
  if (!DecodeRow(key, value, &record).ok()) return Fate::kKeep;
  switch (StateAt(record, time_.Now())) {
    case TokenState::kExecuted:
    case TokenState::kAbandoned:
      return Fate::kKeep;
    case TokenState::kFree:
      return Fate::kDrop;
    case TokenState::kExpired:
      if (!record.has_fingerprint()) return Fate::kKeep;  // Already a tombstone.
      replacement = EncodeRow(key, TombstoneOf(record));
      return Fate::kReplace;
  }
  HAPAX_CHECK(false, "a TokenState is one of its values");
}

}  // namespace hapax
