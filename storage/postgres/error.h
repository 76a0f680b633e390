#ifndef HAPAX_STORAGE_POSTGRES_ERROR_H_
#define HAPAX_STORAGE_POSTGRES_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hapax {

// What an error of a statement means, by its SQLSTATE and not by its text, which is in the server's language.
//
//   UNAVAILABLE            later it may succeed: conflicts, locks, resources, a server that ends; all that is unknown
//   INTERNAL               the disk is full: later it may succeed, but not soon
//   FAILED_PRECONDITION    the engine's tables are gone
//   RESOURCE_EXHAUSTED     PostgreSQL does not take a request of this size
//   PERMISSION_DENIED      the role may not; likewise UNAUTHENTICATED
//   DATA_LOSS              PostgreSQL found its data damaged
[[nodiscard]] absl::Status PgErrorOf(absl::string_view sqlstate, absl::string_view message);

// Whether the transaction was rolled back for another's sake. The same again may succeed.
[[nodiscard]] bool IsConflict(absl::string_view sqlstate);

// Whether a table in the server's memory is full, such as that of locks.
[[nodiscard]] bool IsOutOfMemory(absl::string_view sqlstate);

// Whether the server cannot be written: it is a standby now, so another connection is needed.
[[nodiscard]] bool IsReadOnly(absl::string_view sqlstate);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_ERROR_H_
