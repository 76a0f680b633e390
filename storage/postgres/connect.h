#ifndef HAPAX_STORAGE_POSTGRES_CONNECT_H_
#define HAPAX_STORAGE_POSTGRES_CONNECT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libpq-fe.h"

namespace hapax {

using PgConnection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// Connects to the first host that can be written. Blocks: for connect_timeout with each host, 2 s unless the connection
// string has another, and until `wake_fd` can be read; -1: none. Only the look-up of a host's name is not ended by it.
//
// Errors: INVALID_ARGUMENT, it is no connection string; the message has nothing of it. UNAVAILABLE.
[[nodiscard]] absl::StatusOr<PgConnection> ConnectToPostgres(const std::string& conninfo, int wake_fd);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_CONNECT_H_
