#ifndef HAPAX_SERVER_HOSTING_IDS_H_
#define HAPAX_SERVER_HOSTING_IDS_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/store.h"

namespace hapax {

// Makes resource ids in EC2's style: a prefix, a hyphen and 17 hexadecimal digits.
// Thread-safety: safe.
class IdSource {
 public:
  virtual ~IdSource() = default;
  // Never returns the same id twice, as far as the source knows. Use NewIdOf to write a row at a new id.
  [[nodiscard]] virtual std::string NewId(std::string_view prefix) = 0;
};

// Ids in order of creation: 13 digits of microseconds since 1970, and 4 random digits in case the clock is set back
// between two runs. Rows written one after another are neighbours, which makes writes cheap, and a listing is in order
// of creation.
//
// Guarantees: one source makes no id twice. Nor do two sources of which one follows the other, such as successive
// processes with one data directory, while the clock is right.
class TimeOrderedIdSource final : public IdSource {
 public:
  explicit TimeOrderedIdSource(const TimeSource& time) : time_(time) {}
  [[nodiscard]] std::string NewId(std::string_view prefix) override;

 private:
  const TimeSource& time_;
  std::atomic<int64_t> last_micros_ = 0;
};

// A new id without a row, so that no row is ever overwritten, even if a clock has misled the source. `key_of` makes the
// row's key from an id. Errors: those of the store; UNAVAILABLE when the source makes used ids only.
template <typename KeyOf>
[[nodiscard]] absl::StatusOr<std::string> NewIdOf(IdSource& ids, std::string_view prefix, const ReadTransaction& txn,
                                                  Table table, KeyOf key_of) {
  constexpr int kMaxAttempts = 100;
  for (int i = 0; i < kMaxAttempts; ++i) {
    std::string id = ids.NewId(prefix);
    HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> row, txn.Get(table, key_of(id)));
    if (!row.has_value()) return id;
  }
  return absl::UnavailableError("no id was found that is not in use");
}

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_IDS_H_
