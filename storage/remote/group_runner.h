#ifndef HAPAX_STORAGE_REMOTE_GROUP_RUNNER_H_
#define HAPAX_STORAGE_REMOTE_GROUP_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/fetched_state.h"
#include "hapax/storage/remote/group_run.h"
#include "hapax/storage/remote/slot_keeper.h"

namespace hapax {

// The life of one group, from its bodies' first run until all of its callers are told.
//
//              ┌────────── conflict ───────────┐   after several: end, and later another group
//              ▼                               │
//   begin ─► run ◄─► fetch                     │
//             ├─── writes nothing ─► compare ──┤
//             │        └─ of one fetch ────────┼──► tell
//             └─── writes ─► commit ───────────┤      ▲
//                              └─► resolve ────┘      │
//                                    └─ was applied ──┘
//
//   begin     (B) the group has a slot that is ours, and nothing on it is unresolved
//   fetch     (F) everything that the last run read, in one snapshot that begins after the calls came
//   run       (R) the bodies over one overlay, on the fetched state and on guesses. Nothing is told
//   commit    (C) rows and the slot's next number, if the slot and everything that was read are unchanged
//   tell      (A) the callers, once it is known that the group was applied: refusals and replays, too
//   resolve   (V) an answer was lost: the slot tells whether the group was applied, once its epoch is raised
//   compare   (O) what only read needs no slot. If all of it is of one fetch, it is told at once
//
// A group that takes longer than RemoteOptions::patience is told UNAVAILABLE. If it may have been applied, resolution
// goes on, since the slot is of no use before. A hook of a transaction that was told so is dropped, also when the group
// turns out to be applied: what it uses may be gone once `done` has returned.
//
// Thread-safety: safe. Steps run on the executor, one at a time.
// Lifetime: it keeps itself alive until it ends.
class GroupRunner : public std::enable_shared_from_this<GroupRunner> {
 public:
  // Tasks in it were not told anything.
  struct Ending {
    // Those that did not fit in, in order: to be run before all others.
    std::vector<RemoteTask> left;
    // Each of `left` needs a group of its own.
    bool alone = false;
    // All of the group, after several conflicts: to be run after a pause, in which others have the slot.
    std::vector<RemoteTask> conflicting;
    // What the bodies of each party read and wrote.
    std::vector<std::pair<std::string, int64_t>> charges;
  };
  // `told`, `resolving` and `stuck` are called with the runner's lock held.
  struct Events {
    absl::AnyInvocable<void(size_t)> told;  // So many `done` have returned.
    absl::AnyInvocable<void()> resolving;   // The slot is of no use until the outcome of the group is known.
    // The slot is of no use for longer than a caller waits. These tasks of the group only read, and were not told.
    absl::AnyInvocable<void(std::vector<RemoteTask>)> stuck;
    absl::AnyInvocable<void(Ending)> ended;
  };

  // `slot` null: the tasks may only read. One that writes is told UNAVAILABLE.
  GroupRunner(std::shared_ptr<RemoteContext> context, std::shared_ptr<SlotKeeper> slot, std::vector<RemoteTask> tasks,
              Events events);

  // Begins. Requires: called once, on the executor.
  void Begin();

 private:
  // Runs `step(*this, args...)` unless the group has ended.
  template <typename F, typename... Args>
  void Step(F&& step, Args&&... args);
  // Returns a callback for the backend that runs `step(*this, result)` on the executor.
  template <typename Result, typename F>
  auto OnExecutor(F step);

  // Of the steps; all run with mu_ held.
  void Run();
  void RunBodies();
  // How many fetches the group makes for the sake of guesses before it goes on with them.
  [[nodiscard]] int MaxFetches() const;
  // Takes the tasks from this one on out of the group.
  void Leave(size_t from);
  void Fetch(RemoteFetch wanted);
  // Notes what the last run read and writes, for a fetch that holds it. After a conflict another one is likely.
  void Foresee();
  // Lets others change what the last fetch held.
  void Release();
  void OnFetched(RemoteFetch wanted, absl::StatusOr<RemoteFetched> fetched);
  void Compare();
  void OnCompared(const absl::StatusOr<bool>& unchanged);
  void Commit();
  void OnCommitted(RemoteCommitted committed);
  void OnApplied(int64_t revision);
  void OnConflict();
  // Drops what is known, and begins with a fresh fetch after a pause.
  void RunAgain(int attempt);
  void Resolve();
  void OnResolved(absl::Status status);
  void OnRefused(const absl::Status& error);
  void OnImpatient();
  void Stop(const absl::Status& reason);
  void RunAlone();
  void Tell();
  void TellAll(const absl::Status& status);
  void End();

  const std::shared_ptr<RemoteContext> context_;
  const std::shared_ptr<SlotKeeper> slot_;
  Events events_;

  absl::Mutex mu_;                 // Held during each step. It guards all that follows.
  std::vector<RemoteTask> tasks_;  // Not told yet.
  Ending ending_;
  FetchedState state_;
  std::unique_ptr<GroupRun> run_;  // The last one.
  RemoteSlot before_;              // The slot as the last commit compared it.
  int fetches_ = 0;                // Since the last commit.
  int failures_ = 0;
  int conflicts_ = 0;
  bool guesses_first_ = false;
  RemoteGroup foreseen_;         // The keys of the next fetch that holds them. Without a slot: it holds nothing.
  bool holds_ = false;           // The last fetch, until the commit.
  bool may_be_applied_ = false;  // A commit has no outcome yet.
  bool ended_ = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_GROUP_RUNNER_H_
