#ifndef HAPAX_STORAGE_POSTGRES_CONNECTOR_H_
#define HAPAX_STORAGE_POSTGRES_CONNECTOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/storage/postgres/history.h"
#include "hapax/storage/postgres/layout.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"

namespace hapax {

// Makes the sessions of a backend, ready for its statements.
//
// Each session first commits that it exists. With a synchronous standby this waits until the standby has everything
// that was visible before, also what a crash of the primary made visible. So what the session reads is not lost by a
// failover, and may be told.
//
// Thread-safety: safe. Lifetime: options, layout and history outlive it.
class PgConnector {
 public:
  PgConnector(const PostgresOptions& options, const PostgresLayout& layout, PostgresHistory& history)
      : options_(options), layout_(layout), history_(history) {}

  // Blocks. Errors: FAILED_PRECONDITION, the database went back (history.h), has another layout or none, or its
  // release is too old; otherwise those of PgSession.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<PgSession>> Connect(int wake_fd, absl::Duration deadline);

  // Whether a later session reached a server that was promoted after this one's. What this one's server answers does
  // not count any more: it is no primary, though it may not know it yet.
  [[nodiscard]] bool IsOutdated(const PgSession& session) const { return session.timeline() < newest_timeline_; }
  // Has the reply of such a session be one of a session that broke.
  void BreakIfOutdated(const PgSession& session, PgReply& reply) const;

  // Like Connect, after it has set up what is missing.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<PgSession>> SetUpAndConnect(int wake_fd, absl::Duration deadline);

 private:
  [[nodiscard]] absl::StatusOr<std::unique_ptr<PgSession>> Open(int wake_fd, absl::Duration deadline) const;
  [[nodiscard]] absl::Status Enter(PgSession& session, absl::Duration deadline);

  const PostgresOptions& options_;
  const PostgresLayout& layout_;
  PostgresHistory& history_;
  std::atomic<int64_t> newest_timeline_ = 0;  // Of all sessions so far.
};

// What a session needs whatever the defaults of the role and the database are, until it ends.
[[nodiscard]] PgCall SettingsCall(const PostgresOptions& options);

// How many locks a group may take, so that the lock table of the server is not exhausted.
[[nodiscard]] absl::StatusOr<size_t> MaxLocksOfGroup(PgSession& session, absl::Duration deadline);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_CONNECTOR_H_
