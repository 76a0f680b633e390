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

// A queue in which parties take turns by bytes: while several have items, each gets the same number of bytes. The items
// of one party keep their order. An item costs at least kTurnBytes, so small items alternate between the parties. A
// long backlog of one party, or a large item, delays another party by at most one item.
//
// Virtual time is counted in bytes per party. An item is due when its bytes are paid, counted from the item before it,
// and the party that is due first is served first (self-clocked fair queueing, Golestani 1994). An idle party saves
// nothing up, and debts are forgotten when the queue is empty.
//
//   queue of a: 4 MiB, 4 MiB      due at 256, 512 turns
//   queue of b: small ones        due at 1, 2, 3, ...
//
// Thread-safety: like a standard container.
template <typename T>
class TurnQueue {
 public:
  static constexpr int64_t kTurnBytes = int64_t{16} << 10;

  // `bytes`: the size of the item's work, as far as it is known.
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

  // Requires: the queue is not empty.
  [[nodiscard]] T Pop() {
    const LineRef line = FirstInTurn();
    T item = std::move(line->items.front().item);
    line->items.pop_front();
    now_ = line->due;
    if (--size_ == 0) {
      Forget();
    } else {
      // A party without items stays until its debt is paid.
      if (!line->items.empty()) line->due += line->items.front().cost;
      Enter(line);
    }
    return item;
  }

  // Charges the party `bytes` for work it had already; its next items come later by that much.
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

  // Whether the party may push one more item. All parties share `max` items, of which one party may have half, rounded
  // up. A party without a name may take all of them.
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
    int64_t due = 0;  // When the first item is due; without items, when the debt is paid.
  };
  using LineRef = typename std::list<Line>::iterator;
  // A line's position in the heap. The line may be due later by now.
  struct Turn {
    int64_t due;
    uint64_t number;  // Breaks ties: the line that entered first comes first.
    LineRef line;
    // Inverted, since the standard heap pops the greatest.
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

  // Removes and returns the first line that has an item.
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
  std::vector<Turn> turns_;  // A heap with one turn for each line.
  int64_t now_ = 0;
  uint64_t next_number_ = 0;
  size_t size_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_BASE_TURN_QUEUE_H_
