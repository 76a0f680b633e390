#ifndef HAPAX_SERVER_IDS_H_
#define HAPAX_SERVER_IDS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "hapax/storage/clock.h"

namespace hapax {

// Makes resource ids in EC2's style: a prefix, a hyphen and 17 hexadecimal digits.
// Thread-safety: safe.
class IdSource {
 public:
  virtual ~IdSource() = default;
  // Never the same id twice.
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
  explicit TimeOrderedIdSource(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] std::string NewId(std::string_view prefix) override;

 private:
  const Clock& clock_;
  std::atomic<int64_t> last_micros_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_IDS_H_
