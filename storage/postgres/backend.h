#ifndef HAPAX_STORAGE_POSTGRES_BACKEND_H_
#define HAPAX_STORAGE_POSTGRES_BACKEND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// Connects to the rows of an engine in PostgreSQL 14 or later. Where there are none, the engine is set up. Blocks.
//
// A group is one transaction in one round trip: what keeps it apart from others (isolation.h); comparison and writes,
// in one statement; commit. With advisory locks, FetchAndHold takes the locks before it reads, and its transaction
// stays open until the commit. PostgreSQL ends it after 5 s without one.
//
// What a failover may lose:
//   with a synchronous standby     nothing that was told
//   with an asynchronous one       what it lacks. A server that was told so finds out when it connects anew, and every
//                                  request then fails with FAILED_PRECONDITION (history.h)
// A commit is never cancelled. A warning with it, such as that it did not wait for the standby, makes its outcome
// unknown.
//
// Thread-safety, lifetime, errors: as of RemoteBackend. Groups that PostgreSQL refuses for their size get
// RESOURCE_EXHAUSTED; so does a row whose key has more than some 2,700 bytes.
// Errors of this function: INVALID_ARGUMENT, an option is wrong; FAILED_PRECONDITION also if the tables have another
// layout or isolation, or the server is too old; UNAVAILABLE, no server can be written, or has a connection free,
// within PostgresOptions::open_timeout.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenPostgresBackend(const PostgresOptions& options);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_BACKEND_H_
