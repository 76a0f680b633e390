#ifndef HAPAX_TESTS_STORAGE_REMOTE_SIM_CLUSTER_H_
#define HAPAX_TESTS_STORAGE_REMOTE_SIM_CLUSTER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// Rules of the protocol that a cluster or a backend leaves out, to see that the checks find it.
struct SimWeakness {
  bool reads_not_compared = false;
  bool granules_not_compared = false;
  bool epoch_not_compared = false;
  bool epoch_not_raised = false;          // Though it says so.
  bool slot_not_read_on_refusal = false;  // "Not applied" always has the slot as the group expected it.
  bool seq_not_compared = false;
  bool guesses_not_compared = false;  // Compare always succeeds.
  bool told_before_commit = false;    // The answer comes before the request.
};

// The database of the simulation: its rows, granules and slots. Each method is one moment.
//
// Thread-safety: like a standard container.
class SimCluster {
 public:
  explicit SimCluster(const SimWeakness& weakness = {}) : weakness_(weakness) {}

  [[nodiscard]] RemoteFetched Fetch(const RemoteFetch& fetch) const;
  [[nodiscard]] bool AreUnchanged(const std::vector<RemoteRead>& reads) const;
  [[nodiscard]] RemoteCommitted Commit(const RemoteGroup& group);
  [[nodiscard]] RemoteSlotState ReadSlot(const std::string& slot) const;
  [[nodiscard]] absl::StatusOr<bool> RaiseSlot(const std::string& slot, const RemoteSlotState& seen,
                                               const RemoteSlot& next);

  [[nodiscard]] const SimWeakness& weakness() const { return weakness_; }
  // Rows and granules that are there.
  [[nodiscard]] const std::map<RemoteKey, RemoteValue>& rows() const { return rows_; }
  void ReplaceSlot(const std::string& slot, const RemoteSlot& value) { slots_[slot] = {value, ++revision_}; }
  // From now on every request gets this error, and no commit is applied.
  void Break(absl::Status error) { error_ = std::move(error); }
  [[nodiscard]] const absl::Status& error() const { return error_; }
  // Writes nothing from now on, as etcd without room (NOSPACE): of a commit nobody knows then whether it was applied.
  void set_full(bool full) { full_ = full; }
  // The next commit is not begun with, and gets this error.
  void RefuseNextCommit(absl::Status error) { refusal_ = std::move(error); }
  // Another client writes the row as it is.
  void Touch(const RemoteKey& key) { rows_[key].revision = ++revision_; }
  // How often a slot was raised.
  [[nodiscard]] int raises() const { return raises_; }
  // What broke invariant 4: a slot's epoch only grows, and a group with a lower one is never applied. Empty: nothing.
  [[nodiscard]] const std::string& violation() const { return violation_; }

 private:
  [[nodiscard]] RemoteValue ValueOf(const RemoteKey& key) const;
  [[nodiscard]] bool IsSlotAs(const RemoteSlot& slot, const RemoteSlot& expected) const;

  const SimWeakness weakness_;
  std::map<RemoteKey, RemoteValue> rows_;
  std::map<std::string, RemoteSlotState> slots_;
  int64_t revision_ = 0;
  absl::Status error_;
  bool full_ = false;
  absl::Status refusal_;
  int raises_ = 0;
  std::string violation_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_SIM_CLUSTER_H_
