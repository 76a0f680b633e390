#ifndef HAPAX_STORAGE_REMOTE_CONTEXT_H_
#define HAPAX_STORAGE_REMOTE_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/executor.h"
#include "hapax/storage/remote/guess_cache.h"

namespace hapax {

struct RemoteOptions {
  // Begins the names of the server's slots, the same after each restart. No two running servers may share it.
  std::string slot;
  // A random name of the process, drawn at its start.
  std::string owner;
  // The maximum number of waiting transactions; one party may have half of them. The same for queries.
  size_t max_waiting = 4096;
  // A group takes this many transactions at most, and no more once its bodies have read and written so many bytes.
  size_t max_group = 64;
  int64_t max_group_bytes = int64_t{1} << 20;
  // A group that writes begins with guesses while no group conflicts, so that one round trip suffices when all are
  // right. After a conflict, groups fetch first for a while.
  bool guess_first = true;
  // A group that fetches first goes on with guesses after this many fetches, if it can.
  int max_fetches = 3;
  int64_t guess_bytes = int64_t{64} << 20;
  // One slot is in use, and the others while the outcome of a group is unknown. More groups at a time would only be
  // smaller, and conflict with one another.
  int slots = 2;
  // Transactions with statements of SQL that run at a time, each with a connection, a thread and a slot of its own.
  int sql_lanes = 8;
  // A transaction is told UNAVAILABLE when its group has no outcome after this time.
  absl::Duration patience = absl::Seconds(10);
};

// What the parts of one engine share.
//
// Thread-safety: safe. Lifetime: backend and executor outlive it.
class RemoteContext {
 public:
  RemoteContext(const RemoteOptions& options, RemoteBackend& backend, RemoteExecutor& executor)
      : options_(options),
        backend_(backend),
        executor_(executor),
        guesses_(options.guess_bytes),
        random_(SeedOf(options.owner)) {}

  [[nodiscard]] const RemoteOptions& options() const { return options_; }
  [[nodiscard]] RemoteBackend& backend() { return backend_; }
  [[nodiscard]] RemoteExecutor& executor() { return executor_; }
  [[nodiscard]] GuessCache& guesses() { return guesses_; }
  // Held while bodies of transactions that may write run, and while such are told: one at a time, though a second group
  // is under way.
  [[nodiscard]] absl::Mutex& turn() ABSL_LOCK_RETURNED(turn_) { return turn_; }

  // Notes a conflict with another server.
  void NoteConflict();
  // Whether other servers changed what groups had read, shortly before.
  [[nodiscard]] bool IsContended() const;
  // Whether the next group that writes begins with guesses.
  [[nodiscard]] bool GuessesFirst();

  // Runs `step` after a pause that doubles with `attempt` (0: the first), at random up to half shorter.
  void RunLater(int attempt, RemoteExecutor::Work step);

  // Stops the engine for ever; the first reason counts.
  void Stop(absl::Status reason);
  // OK, or why the engine stopped.
  [[nodiscard]] absl::Status status() const;

  // Notes how the last request that reads, or writes, ended.
  void NoteRead(const absl::Status& status);
  void NoteWrite(const absl::Status& status);
  // OK, or why the last one failed, in the database's words.
  [[nodiscard]] absl::Status read_error() const;
  [[nodiscard]] absl::Status write_error() const;
  // What callers are told while the database serves no request, or refuses to write. `what` begins the message.
  [[nodiscard]] absl::Status Unavailable(absl::string_view what) const;

  // No more retries: the engine is being destroyed.
  void Close();
  [[nodiscard]] bool closed() const;

 private:
  // Servers draw different owners, so their pauses differ.
  static uint64_t SeedOf(const std::string& owner);

  const RemoteOptions options_;
  RemoteBackend& backend_;
  RemoteExecutor& executor_;
  GuessCache guesses_;
  absl::Mutex turn_;

  mutable absl::Mutex mu_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  absl::Status read_error_ ABSL_GUARDED_BY(mu_);
  absl::Status write_error_ ABSL_GUARDED_BY(mu_);
  int careful_groups_ ABSL_GUARDED_BY(mu_) = 0;  // That will fetch first.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_CONTEXT_H_
