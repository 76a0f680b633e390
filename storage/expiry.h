#ifndef HAPAX_STORAGE_EXPIRY_H_
#define HAPAX_STORAGE_EXPIRY_H_

#include <string>
#include <string_view>

#include "hapax/storage/store.h"

namespace hapax {

// Decides when the rows of one table expire, so that an engine can give their space back.
//
// An engine may apply the rule to any row at any time, or never. Readers must judge each row by the same rule, so that
// they cannot tell whether the engine did. The fate of a row never goes back, for example from kDrop to kKeep, not even
// after a restart.
//
// Thread-safety: safe. It must not block.
class ExpiryRule {
 public:
  enum class Fate {
    kKeep,
    kReplace,  // With `replacement`, which is judged again later.
    kDrop,
  };

  virtual ~ExpiryRule() = default;
  [[nodiscard]] virtual Table table() const = 0;
  // A damaged row is kept.
  [[nodiscard]] virtual Fate FateOf(std::string_view key, std::string_view value, std::string& replacement) const = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_EXPIRY_H_
