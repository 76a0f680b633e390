#ifndef HAPAX_STORAGE_POSTGRES_OPTIONS_H_
#define HAPAX_STORAGE_POSTGRES_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace hapax {

// See isolation.h.
enum class PgIsolationKind {
  kAdvisoryLocks,
  kSerializable,
};

struct PostgresOptions {
  // A connection string of libpq: "host=... dbname=..." or "postgresql://...". Of several hosts the one that can be
  // written is used.
  std::string conninfo;
  // The schema of the engine's tables: a lower-case letter, then lower-case letters, digits and "_".
  std::string schema = "hapax";
  // How groups are kept apart. The same for all servers of the schema.
  PgIsolationKind isolation = PgIsolationKind::kAdvisoryLocks;

  // Connections, each with a thread of its own, that serves one request at a time.
  int read_connections = 3;
  int commit_connections = 2;

  // How long a start waits for a server that can be written and has a connection free: for the end of a failover.
  absl::Duration open_timeout = absl::Seconds(10);
  // The time for one request on a connection. Then a read is tried on another, and the outcome of a commit is unknown.
  absl::Duration attempt_timeout = absl::Seconds(4);
  // The time for a request on all connections that are tried.
  absl::Duration request_timeout = absl::Seconds(6);
  // The time that a statement waits for a lock. It is shorter than attempt_timeout, so that the outcome is known.
  absl::Duration lock_timeout = absl::Seconds(2);

  // The bounds on unfinished requests; one more is refused.
  size_t max_requests = 4096;
  int64_t max_request_bytes = int64_t{256} << 20;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_OPTIONS_H_
