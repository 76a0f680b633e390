#ifndef HAPAX_STORAGE_OVERLAY_H_
#define HAPAX_STORAGE_OVERLAY_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "hapax/storage/store.h"

namespace hapax {

// Writes that are not in the database yet; reads look here first. The last write of a key counts.
//
// Thread-safety: like a standard container.
class Overlay {
 public:
  // The new value of a row, or nullopt for a deletion.
  using Value = std::optional<std::string>;
  using Rows = absl::btree_map<std::string, Value, std::less<>>;

  void Write(Table table, std::string key, Value value);

  // The value written for the key, or nullptr if there is none.
  [[nodiscard]] const Value* Find(Table table, std::string_view key) const;

  // Adds the writes of `newer`, which replace earlier ones.
  void Absorb(Overlay&& newer);

  [[nodiscard]] const Rows& rows(Table table) const { return tables_[static_cast<int>(table)]; }
  [[nodiscard]] bool empty() const;
  // The size of all keys and values written, including those that were replaced later.
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  std::array<Rows, kTableCount> tables_;
  int64_t bytes_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_OVERLAY_H_
