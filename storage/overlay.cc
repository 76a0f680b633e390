#include "hapax/storage/overlay.h"

#include <algorithm>
#include <utility>

namespace hapax {

void Overlay::Write(Table table, std::string key, Value value) {
  bytes_ += static_cast<int64_t>(key.size() + (value.has_value() ? value->size() : 0));
  tables_[static_cast<int>(table)].insert_or_assign(std::move(key), std::move(value));
}

const Overlay::Value* Overlay::Find(Table table, std::string_view key) const {
  const Rows& rows = this->rows(table);
  const auto row = rows.find(key);
  return row == rows.end() ? nullptr : &row->second;
}

void Overlay::Absorb(Overlay&& newer) {
  bytes_ += std::exchange(newer.bytes_, 0);
  for (int table = 0; table < kTableCount; ++table) {
    Rows& rows = tables_[table];
    Rows& newer_rows = newer.tables_[table];
    if (rows.empty()) {
      rows.swap(newer_rows);
      continue;
    }
    while (!newer_rows.empty()) {
      auto inserted = rows.insert(newer_rows.extract(newer_rows.begin()));
      if (!inserted.inserted) inserted.position->second = std::move(inserted.node.mapped());
    }
  }
}

bool Overlay::empty() const {
  return std::all_of(tables_.begin(), tables_.end(), [](const Rows& rows) { return rows.empty(); });
}

}  // namespace hapax
