#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_EXPIRY_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_EXPIRY_H_

#include <string>
#include <string_view>

#include "hapax/base/clock.h"
#include "hapax/storage/expiry.h"

namespace hapax {

// How the rows of table tokens age: an expired record becomes its tombstone, and a record whose time to be forgotten
// has come is dropped (C17). Readers judge by a time that is never before `time` (token_time.h), so they do not depend
// on when an engine does this. A damaged row is kept: it must stay DATA_LOSS, not become a free token.
//
// Thread-safety: safe.
// Lifetime: `time` outlives it. `time` must be durable, and never goes back.
class TokenExpiry final : public ExpiryRule {
 public:
  explicit TokenExpiry(const TimeSource& time) : time_(time) {}
  [[nodiscard]] Table table() const override { return Table::kTokens; }
  [[nodiscard]] Fate FateOf(std::string_view key, std::string_view value, std::string& replacement) const override;

 private:
  const TimeSource& time_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_TOKEN_EXPIRY_H_
