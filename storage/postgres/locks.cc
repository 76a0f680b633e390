#include "hapax/storage/postgres/locks.h"

#include <map>

namespace hapax {
namespace {

constexpr char kEngine = 'e';
constexpr char kSlot = 's';
constexpr char kRow = 'r';
constexpr char kGranule = 'g';

// FNV-1a of 64 bits. Two keys with one number wait for one another without need.
uint64_t Mix(uint64_t hash, absl::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

int64_t PgLocks::IdOf(char kind, int table, absl::string_view key) const {
  const char header[] = {'\0', kind, static_cast<char>(table)};
  uint64_t hash = Mix(0xcbf29ce484222325, schema_);
  hash = Mix(hash, absl::string_view(header, sizeof(header)));
  return static_cast<int64_t>(Mix(hash, key));
}

int64_t PgLocks::IdOf(const RemoteKey& key) const {
  return IdOf(key.kind == RemoteKey::Kind::kRow ? kRow : kGranule, static_cast<int>(key.table), key.key);
}

PgLock PgLocks::OfEngine(bool is_exclusive) const { return {.id = IdOf(kEngine, 0, ""), .is_exclusive = is_exclusive}; }

std::vector<PgLock> PgLocks::OfSlot(const std::string& slot) const {
  return {OfEngine(/*is_exclusive=*/false), {.id = IdOf(kSlot, 0, slot), .is_exclusive = true}};
}

std::vector<PgLock> PgLocks::OfGroup(const RemoteGroup& group) const {
  std::map<int64_t, bool> exclusive = {{IdOf(kSlot, 0, group.slot), true}};
  for (const RemoteRead& read : group.reads) exclusive[IdOf(read.key)] |= read.key.kind == RemoteKey::Kind::kGranule;
  for (const RemoteGroup::Write& write : group.writes) {
    exclusive[IdOf(write.key)] |= write.key.kind == RemoteKey::Kind::kRow;
  }
  if (exclusive.size() > max_locks_) return {OfEngine(/*is_exclusive=*/true)};
  std::vector<PgLock> locks = {OfEngine(/*is_exclusive=*/false)};
  for (const auto& [id, is_exclusive] : exclusive) locks.push_back({.id = id, .is_exclusive = is_exclusive});
  return locks;
}

}  // namespace hapax
