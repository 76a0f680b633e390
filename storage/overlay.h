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

// Writes that are not in the database yet, for reads to look at first. The last write of a key counts.
//
// Thread-safety: as a standard container's.
class Overlay {
 public:
  // A row's new value, or nullopt when it is deleted.
  using Value = std::optional<std::string>;
  using Rows = absl::btree_map<std::string, Value, std::less<>>;

  void Write(Table table, std::string key, Value value);

  // What is written for the key, or nullptr when nothing is.
  [[nodiscard]] const Value* Find(Table table, std::string_view key) const;

  // Takes over the writes of `newer`.
  void Absorb(Overlay&& newer);

  [[nodiscard]] const Rows& rows(Table table) const { return tables_[static_cast<int>(table)]; }
  [[nodiscard]] bool empty() const;
  // Of all keys and values that were written, those that later ones replaced included.
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  std::array<Rows, kTableCount> tables_;
  int64_t bytes_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_OVERLAY_H_
