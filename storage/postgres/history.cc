#include "hapax/storage/postgres/history.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

absl::Status Compare(const PostgresHistory::Marks& floor, const PostgresHistory::Marks& found) {
  for (const auto& [name, acknowledged] : floor.slots) {
    const auto slot = found.slots.find(name);
    const RemoteSlot now = slot == found.slots.end() ? RemoteSlot() : slot->second;
    if (now.seq >= acknowledged.seq && now.epoch >= acknowledged.epoch) continue;
    return absl::FailedPreconditionError(absl::StrCat("the slot ", name, " went back to number ", now.seq, " from ",
                                                      acknowledged.seq,
                                                      ": the database lost commits that it had acknowledged"));
  }
  if (found.connections > floor.connections) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the number of connections went back to ", found.connections,
                                                    " from ", floor.connections,
                                                    ": the database lost commits that it had acknowledged"));
}

}  // namespace

PostgresHistory::Marks PostgresHistory::marks() const {
  absl::MutexLock lock(&mu_);
  return marks_;
}

void PostgresHistory::NoteSlot(const std::string& slot, const RemoteSlot& value) {
  absl::MutexLock lock(&mu_);
  RemoteSlot& known = marks_.slots[slot];
  if (std::tie(value.epoch, value.seq) > std::tie(known.epoch, known.seq)) known = value;
}

absl::Status PostgresHistory::Check(const Marks& floor, const Marks& found) {
  absl::Status compared = Compare(floor, found);
  absl::MutexLock lock(&mu_);
  if (!status_.ok()) return status_;
  marks_.connections = std::max(marks_.connections, found.connections);
  status_ = compared;
  return compared;
}

absl::Status PostgresHistory::status() const {
  absl::MutexLock lock(&mu_);
  return status_;
}

}  // namespace hapax
