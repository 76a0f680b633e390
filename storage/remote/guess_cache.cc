#include "hapax/storage/remote/guess_cache.h"

#include <iterator>

namespace hapax {

std::optional<RemoteValue> GuessCache::Find(const RemoteKey& key) {
  absl::MutexLock lock(&mu_);
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->second;
}

void GuessCache::Put(const RemoteKey& key, const RemoteValue& value) {
  absl::MutexLock lock(&mu_);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    if (value.value.has_value() && value.revision < known->second->second.revision) return;
    Remove(known->second);
  }
  if (!value.value.has_value()) return;
  entries_.emplace_front(key, value);
  by_key_.emplace(key, entries_.begin());
  bytes_ += SizeOf(entries_.front());
  while (bytes_ > max_bytes_) Remove(std::prev(entries_.end()));
}

void GuessCache::Erase(const RemoteKey& key) {
  absl::MutexLock lock(&mu_);
  if (const auto known = by_key_.find(key); known != by_key_.end()) Remove(known->second);
}

int64_t GuessCache::SizeOf(const Entries::value_type& entry) {
  constexpr int64_t kNodes = 128;  // Of the list and the map, about.
  const auto& [key, value] = entry;
  return kNodes + static_cast<int64_t>(2 * key.key.size() + value.value.value_or("").size());
}

void GuessCache::Remove(Entries::iterator entry) {
  bytes_ -= SizeOf(*entry);
  by_key_.erase(entry->first);
  entries_.erase(entry);
}

}  // namespace hapax
