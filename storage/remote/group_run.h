#ifndef HAPAX_STORAGE_REMOTE_GROUP_RUN_H_
#define HAPAX_STORAGE_REMOTE_GROUP_RUN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "hapax/storage/draft.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/fetched_state.h"
#include "hapax/storage/remote/guess_cache.h"
#include "hapax/storage/remote/speculation.h"
#include "hapax/storage/store.h"

namespace hapax {

// A transaction that an engine over a network has accepted.
struct RemoteTask {
  std::string party;
  Store::Body body;
  Store::Done done;
  absl::Duration accepted;  // Monotonic.
  int conflicts = 0;        // How often something that its group had read was changed by others.
};

// One run of a group's bodies (R), one after another, over one overlay. Nothing is told of it: its results wait for
// the commit.
//
//   GroupRun run(state, cache, {.limits = limits});
//   for (RemoteTask& task : tasks) {
//     if (!run.Add(task)) break;  // The rest belongs to another group.
//   }
//
// Thread-safety: like a standard container. Lifetime: `state` and `cache` outlive it.
class GroupRun {
 public:
  struct Result {
    absl::Status status;
    std::vector<absl::AnyInvocable<void()>> hooks;  // Only if the status is OK.
    int64_t bytes = 0;                              // Read and written by the body.
    bool only_read = true;
    bool wants_sql = false;  // It asked for Transaction::sql().
  };
  struct Options {
    RemoteLimits limits;
    // A fetch of everything that was read may return so many rows, unless one body alone reads more.
    int64_t max_rows = int64_t{1} << 14;
    // The same of the bytes that scans return.
    int64_t max_scan_bytes = int64_t{64} << 20;
    // What a body gets that writes; OK: it may.
    absl::Status write_refusal;
    SqlConnection* sql = nullptr;  // Of the bodies.
  };

  GroupRun(const FetchedState& state, GuessCache& cache, Options options)
      : options_(std::move(options)), reads_(state, cache), overlay_(reads_) {}

  // Runs the body. Returns false if the group is too large with it, and not without it. The run is of no use then: the
  // tasks before this one must be run anew without it. A body that is too large alone gets RESOURCE_EXHAUSTED.
  [[nodiscard]] bool Add(RemoteTask& task);

  [[nodiscard]] std::deque<Result>& results() { return results_; }
  [[nodiscard]] const Speculation& reads() const { return reads_; }
  // Rows and granules to put and delete.
  [[nodiscard]] std::vector<RemoteGroup::Write> Writes();
  [[nodiscard]] bool writes_nothing() { return overlay_.writes().empty(); }
  // Has `cache` know what was written, once it is committed with this revision; 0: unknown.
  void NoteApplied(int64_t revision, GuessCache& cache);

 private:
  [[nodiscard]] bool Fits(const Overlay& more);
  // Whether the write may insert or delete a row.
  [[nodiscard]] bool MayMove(const RemoteKey& key, bool deletes) const;
  // Adds the granules of `writes` that scans must see changed.
  void AddGranules(const Overlay& writes);

  const Options options_;
  Speculation reads_;
  DraftTransaction overlay_;  // The writes of all bodies so far.
  absl::btree_set<RemoteKey> granules_;
  std::deque<Result> results_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_GROUP_RUN_H_
