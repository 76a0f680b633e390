#ifndef HAPAX_STORAGE_POSTGRES_WORKERS_H_
#define HAPAX_STORAGE_POSTGRES_WORKERS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/storage/postgres/connector.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"

namespace hapax {

// Threads, each with a connection of its own, that run requests.
//
// A request may leave its transaction open for the next one of its slot, on the same connection.
//
// A connection is made when it is first needed, and again after it broke. A read is tried again until its time is over.
// A commit is tried again only while nothing of it was sent.
//
// Thread-safety: safe. Callbacks run on the threads, or before the method returns.
// Lifetime: the destructor returns when all callbacks have returned. Unfinished requests get UNAVAILABLE.
class PgWorkers {
 public:
  using Done = absl::AnyInvocable<void(PgReply) &&>;

  PgWorkers(const PostgresOptions& options, PgConnector& connector);
  ~PgWorkers();

  // Start takes the lock, and needs to know only which queue it is.
  void Read(std::vector<PgCall> calls, Done done) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Start(reads_, Kind::kRead, /*slot=*/"", std::move(calls), std::move(done));
  }
  // `calls` are a transaction. If one is open for the slot, they are its end.
  void Commit(const std::string& slot, std::vector<PgCall> calls, Done done) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Start(commits_, Kind::kCommit, slot, std::move(calls), std::move(done));
  }
  // `calls` begin a transaction that stays open for the slot, unless they fail. If one is open, they go on in it.
  // An error leaves none open. Requires: one request of a slot is under way at a time, but for Release.
  void Hold(const std::string& slot, std::vector<PgCall> calls, Done done) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Start(commits_, Kind::kHold, slot, std::move(calls), std::move(done));
  }
  // Rolls back what is open for the slot, if anything.
  void Release(const std::string& slot) ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  enum class Kind { kRead, kCommit, kHold, kRelease };
  struct Request {
    Kind kind = Kind::kRead;
    std::string slot;
    std::vector<PgCall> calls;
    Done done;
    int64_t bytes = 0;
    absl::Duration deadline;  // Monotonic.
  };
  using Queue = std::deque<std::unique_ptr<Request>>;

  void Start(Queue& queue, Kind kind, std::string slot, std::vector<PgCall> calls, Done done);
  // Serves the requests of a queue until the workers close.
  void Serve(Queue& queue);
  [[nodiscard]] std::unique_ptr<Request> Next(Queue& queue);
  // Runs the request in the slot's open transaction. Returns false if there is none.
  bool RunInOpenTransaction(const Request& request, PgReply& reply);
  // Keeps the session for later: with its open transaction, or as a spare one. Drops it if it is of no use.
  void Keep(const Request& request, const PgReply& reply, std::unique_ptr<PgSession> session);
  [[nodiscard]] std::unique_ptr<PgSession> TakeSpare();
  PgReply RunUntilItIsKnown(const Request& request, std::unique_ptr<PgSession>& session);
  PgReply RunOnce(const Request& request, std::unique_ptr<PgSession>& session);
  // Waits before another try. Returns false if the workers close.
  bool Pause(int tries);

  const PostgresOptions& options_;
  PgConnector& connector_;
  const int wake_fd_;  // Can be read once the workers close.

  Monitor mu_;
  Queue reads_ ABSL_GUARDED_BY(mu_);
  Queue commits_ ABSL_GUARDED_BY(mu_);
  // With an open transaction, by the slot.
  absl::flat_hash_map<std::string, std::unique_ptr<PgSession>> open_ ABSL_GUARDED_BY(mu_);
  // Without one, and of no thread.
  std::vector<std::unique_ptr<PgSession>> spare_ ABSL_GUARDED_BY(mu_);
  size_t unfinished_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_WORKERS_H_
