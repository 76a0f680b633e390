#ifndef HAPAX_BASE_TURN_QUEUE_H_
#define HAPAX_BASE_TURN_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace hapax {

// A queue whose parties take turns by bytes: while several have items, each gets as many bytes as another. Of one
// party's the first come first. An item counts as kTurnBytes at least, so small ones go one of each party, round and
// round. A long backlog of one party, or a large item, delays another's item by at most one item.
//
// Time is counted in bytes that each party may have had by then. An item is due when its bytes have been paid since
// those before it; who is due first comes first (self-clocked fair queueing, Golestani 1994). An idle party saves
// nothing up, and what a party owes is forgotten when nobody waits.
//
//   queue of a: 4 MiB, 4 MiB      due at 256, 512 turns
//   queue of b: small ones        due at 1, 2, 3, ...
//
// Thread-safety: as a standard container's.
template <typename T>
class TurnQueue {
 public:
  static constexpr int64_t kTurnBytes = int64_t{16} << 10;

  // `bytes`: of the work that the item is, as far as it is known.
  void Push(std::string_view party, T item, int64_t bytes = 0) {
    const int64_t cost = std::max(bytes, kTurnBytes);
    const auto known = by_name_.find(party);
    const bool is_new = known == by_name_.end();
    const LineRef line = is_new ? NewLine(party) : known->second;
    if (line->items.empty()) line->due = std::max(line->due, now_) + cost;
    line->items.push_back({.item = std::move(item), .cost = cost});
    ++size_;
    if (is_new) Enter(line);
  }

  // The queue is not empty.
  [[nodiscard]] T Pop() {
    const LineRef line = FirstInTurn();
    T item = std::move(line->items.front().item);
    line->items.pop_front();
    now_ = line->due;
    if (--size_ == 0) {
      Forget();
    } else {
      // A party without items stays until what it owes is paid.
      if (!line->items.empty()) line->due += line->items.front().cost;
      Enter(line);
    }
    return item;
  }

  // What the party had turned out to be `bytes` of work more: its next items come later by as much.
  void Charge(std::string_view party, int64_t bytes) {
    if (size_ == 0) return;
    const auto known = by_name_.find(party);
    const bool is_new = known == by_name_.end();
    const LineRef line = is_new ? NewLine(party) : known->second;
    line->due = std::max(line->due, now_) + bytes;
    if (is_new) Enter(line);
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
  struct Waiting {
    T item;
    int64_t cost;
  };
  struct Line {
    std::string party;
    std::list<Waiting> items;
    int64_t due = 0;  // When the first item is; without items, when nothing is owed.
  };
  using LineRef = typename std::list<Line>::iterator;
  // A line's place among the others, which may be due later by now.
  struct Turn {
    int64_t due;
    uint64_t number;  // Of those that are due at the same time the first that entered comes first.
    LineRef line;
    // The greatest comes first in a heap of the standard library's.
    bool operator<(const Turn& other) const { return due != other.due ? due > other.due : number > other.number; }
  };

  LineRef NewLine(std::string_view party) {
    const LineRef line = lines_.insert(lines_.end(), Line{.party = std::string(party)});
    by_name_.emplace(line->party, line);
    return line;
  }

  void Enter(LineRef line) {
    turns_.push_back({.due = line->due, .number = next_number_++, .line = line});
    std::push_heap(turns_.begin(), turns_.end());
  }

  // Takes the turn of the first that has an item.
  LineRef FirstInTurn() {
    while (true) {
      std::pop_heap(turns_.begin(), turns_.end());
      const Turn turn = turns_.back();
      turns_.pop_back();
      if (turn.due < turn.line->due) {
        Enter(turn.line);
      } else if (turn.line->items.empty()) {
        by_name_.erase(turn.line->party);
        lines_.erase(turn.line);
      } else {
        return turn.line;
      }
    }
  }

  void Forget() {
    turns_.clear();
    by_name_.clear();
    lines_.clear();
    now_ = 0;
  }

  std::list<Line> lines_;
  absl::flat_hash_map<std::string_view, LineRef> by_name_;
  std::vector<Turn> turns_;  // A heap with one of each line.
  int64_t now_ = 0;
  uint64_t next_number_ = 0;
  size_t size_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_BASE_TURN_QUEUE_H_
