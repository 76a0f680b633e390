#ifndef HAPAX_STORAGE_TURN_QUEUE_H_
#define HAPAX_STORAGE_TURN_QUEUE_H_

#include <cstddef>
#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace hapax {

// A queue whose parties take turns: one item of each, round and round, and within a party the first come first. So who
// has much waiting puts off another's item by one of his own, not by all of them.
//
// Thread-safety: as a standard container's.
template <typename T>
class TurnQueue {
 public:
  void Push(std::string_view party, T item) {
    const auto known = by_name_.find(party);
    const auto line = known != by_name_.end() ? known->second : Enter(party);
    line->items.push_back(std::move(item));
    ++size_;
  }

  // The queue is not empty.
  [[nodiscard]] T Pop() {
    const auto line = lines_.begin();
    T item = std::move(line->items.front());
    line->items.pop_front();
    --size_;
    if (line->items.empty()) {
      by_name_.erase(line->party);
      lines_.pop_front();
    } else {
      lines_.splice(lines_.end(), lines_, line);
    }
    return item;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t size() const { return size_; }

  // Whether one more of the party's is no more than `max` items in all, and half of that, rounded up, of its own, so
  // that others find room. Who has no name may take all of it.
  [[nodiscard]] bool HasRoom(std::string_view party, size_t max) const {
    if (size_ >= max) return false;
    const auto known = by_name_.find(party);
    return party.empty() || known == by_name_.end() || known->second->items.size() < (max + 1) / 2;
  }

 private:
  struct Line {
    std::string party;
    std::list<T> items;  // Not empty, but while one is entered.
  };

  typename std::list<Line>::iterator Enter(std::string_view party) {
    lines_.push_back({.party = std::string(party), .items = {}});
    const auto line = std::prev(lines_.end());
    by_name_.emplace(line->party, line);
    return line;
  }

  std::list<Line> lines_;  // The one whose turn is next comes first.
  absl::flat_hash_map<std::string_view, typename std::list<Line>::iterator> by_name_;
  size_t size_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_TURN_QUEUE_H_
