#ifndef HAPAX_STORAGE_EXPIRY_H_
#define HAPAX_STORAGE_EXPIRY_H_

#include <string>
#include <string_view>

#include "hapax/storage/store.h"

namespace hapax {

// What becomes of the rows of one table as they grow old, so that an engine can give their space back.
//
// An engine may apply it to any row at any time, or never. Its readers must judge a row as the rule does, so that they
// cannot tell whether that happened. The answer for a row never goes back: not from kDrop to kKeep, say, also after a
// restart.
//
// Thread-safety: safe. It must not block.
class ExpiryRule {
 public:
  enum class Fate {
    kKeep,
    kReplace,  // By `replacement`, which is to be judged again later.
    kDrop,
  };

  virtual ~ExpiryRule() = default;
  [[nodiscard]] virtual Table table() const = 0;
  // A row that is damaged is kept.
  [[nodiscard]] virtual Fate FateOf(std::string_view key, std::string_view value, std::string& replacement) const = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_EXPIRY_H_
