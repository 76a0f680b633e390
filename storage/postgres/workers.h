#ifndef HAPAX_STORAGE_POSTGRES_WORKERS_H_
#define HAPAX_STORAGE_POSTGRES_WORKERS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "hapax/base/monitor.h"
#include "hapax/storage/postgres/connector.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"

namespace hapax {

// Threads, each with a connection of its own, that run requests.
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
    Start(reads_, /*is_read=*/true, std::move(calls), std::move(done));
  }
  void Commit(std::vector<PgCall> calls, Done done) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Start(commits_, /*is_read=*/false, std::move(calls), std::move(done));
  }

 private:
  struct Request {
    bool is_read = false;
    std::vector<PgCall> calls;
    Done done;
    int64_t bytes = 0;
    absl::Duration deadline;  // Monotonic.
  };
  using Queue = std::deque<std::unique_ptr<Request>>;

  void Start(Queue& queue, bool is_read, std::vector<PgCall> calls, Done done);
  // Serves the requests of a queue until the workers close.
  void Serve(Queue& queue);
  [[nodiscard]] std::unique_ptr<Request> Next(Queue& queue);
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
  size_t unfinished_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_WORKERS_H_
