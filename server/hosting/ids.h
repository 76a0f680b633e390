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
  // Never the same id twice, as far as it knows: whoever puts a row at a new id takes NewIdOf.
  [[nodiscard]] virtual std::string NewId(std::string_view prefix) = 0;
};

// Ids in the order they are made: 13 digits of microseconds since 1970, and 4 random ones, in case the clock is set
// back between two runs. So rows that are written one after another lie beside one another, which makes writing them
// cheap, and a listing is in the order of creation.
//
// Guarantees: no id comes twice from one source; nor, while the clock is right, from two of which one follows the
// other, as the processes do that open one data directory.
class TimeOrderedIdSource final : public IdSource {
 public:
  explicit TimeOrderedIdSource(const TimeSource& time) : time_(time) {}
  [[nodiscard]] std::string NewId(std::string_view prefix) override;

 private:
  const TimeSource& time_;
  std::atomic<int64_t> last_micros_ = 0;
};

// A new id at which there is no row yet, so that what stands there is never overwritten, whatever a clock did to the
// source. `key_of` makes the row's key of an id. Errors: the store's; UNAVAILABLE when the source gives used ids only.
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
