#ifndef HAPAX_STORAGE_POSTGRES_SET_UP_H_
#define HAPAX_STORAGE_POSTGRES_SET_UP_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hapax/storage/postgres/layout.h"
#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"

namespace hapax {

// Creates the schema and its tables unless they are there. So a role that may not create them can start on those that
// another has made. Several servers may do so at once. The first one's `isolation` becomes that of all.
// Errors: PERMISSION_DENIED, the role may not, and the message has the statements that let it; those of PgErrorOf.
[[nodiscard]] absl::Status SetUpIfMissing(PgSession& session, const PostgresLayout& layout, PgIsolationKind isolation,
                                          absl::Duration deadline);

// The error of an engine with the mark `version` and `release` of another layout. OK: it is ours.
[[nodiscard]] absl::Status CheckLayout(const PostgresLayout& layout, int64_t version, const std::string& release);

// The error of an engine whose servers have another isolation. OK: it is `isolation`.
[[nodiscard]] absl::Status CheckIsolation(const PostgresLayout& layout, absl::string_view found,
                                          PgIsolationKind isolation);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_SET_UP_H_
