#include "hapax/storage/memory/tables.h"

#include <utility>

#include "hapax/storage/format.h"

namespace hapax {

MemoryTables::Snapshot::Snapshot(const MemoryTables& tables) : tables_(tables) {
  MonitorLock lock(&tables.mu_);
  for (int table = 0; table < kTableCount; ++table) state_[table] = tables.tables_[table];
}

MemoryTables::Snapshot::~Snapshot() {
  MonitorLock lock(&tables_.mu_);
  state_ = {};
}

MemoryTables::MemoryTables() {
  for (std::shared_ptr<Rows>& rows : tables_) rows = std::make_shared<Rows>();
}

void MemoryTables::Write(const Overlay& writes) {
  MonitorLock lock(&mu_);
  for (const Table table : kAllTables) {
    if (writes.rows(table).empty()) continue;
    Rows& rows = OwnRows(table);
    for (const auto& [key, value] : writes.rows(table)) {
      if (value.has_value()) {
        rows.insert_or_assign(key, *value);
      } else {
        rows.erase(key);
      }
    }
  }
  ++version_;
  mu_.WakeAll();
}

void MemoryTables::Apply(const ExpiryRule& rule) {
  MonitorLock lock(&mu_);
  Rows& rows = OwnRows(rule.table());
  for (auto row = rows.begin(); row != rows.end();) {
    std::string replacement;
    switch (rule.FateOf(row->first, row->second, replacement)) {
      case ExpiryRule::Fate::kKeep:
        ++row;
        break;
      case ExpiryRule::Fate::kReplace:
        row->second = std::move(replacement);
        ++row;
        break;
      case ExpiryRule::Fate::kDrop:
        row = rows.erase(row);
        break;
    }
  }
}

int64_t MemoryTables::version() const {
  MonitorLock lock(&mu_);
  return version_;
}

bool MemoryTables::AwaitWriteAfter(int64_t version, absl::Duration until) const {
  MonitorLock lock(&mu_);
  return mu_.AwaitUntil([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return version_ > version; }, until);
}

MemoryTables::Rows& MemoryTables::OwnRows(Table table) {
  std::shared_ptr<Rows>& rows = tables_[static_cast<int>(table)];
  if (rows.use_count() > 1) rows = std::make_shared<Rows>(*rows);
  return *rows;
}

}  // namespace hapax
