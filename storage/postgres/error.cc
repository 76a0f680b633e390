#include "hapax/storage/postgres/error.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

struct KnownError {
  absl::string_view sqlstate;  // How it begins: two characters are a class.
  absl::StatusCode code;
  absl::string_view advice;
};

constexpr KnownError kKnownErrors[] = {
    {"40", absl::StatusCode::kUnavailable, ""},     // Serialization failure, deadlock.
    {"55P03", absl::StatusCode::kUnavailable, ""},  // A lock was not granted in time.
    // Not UNAVAILABLE: callers are told at once, since another try soon would be in vain.
    {"53100", absl::StatusCode::kInternal, "the disk of PostgreSQL is full"},
    {"53200", absl::StatusCode::kUnavailable,
     "PostgreSQL is out of memory; if of shared memory, raise max_locks_per_transaction"},
    {"53300", absl::StatusCode::kUnavailable,
     "PostgreSQL has no free connection: raise its max_connections, or end other clients"},
    {"25006", absl::StatusCode::kUnavailable, "the server is a standby"},
    {"42501", absl::StatusCode::kPermissionDenied,
     "grant the role all rights on the schema and its tables (docs/several-servers.md)"},
    {"42P01", absl::StatusCode::kFailedPrecondition, "the tables of the engine are gone"},
    {"3F000", absl::StatusCode::kFailedPrecondition, "the schema of the engine is gone"},
    {"28", absl::StatusCode::kUnauthenticated, ""},
    {"54", absl::StatusCode::kResourceExhausted, ""},  // Such as a key that is too long for an index.
    {"XX001", absl::StatusCode::kDataLoss, "PostgreSQL found its data damaged"},
    {"XX002", absl::StatusCode::kDataLoss, "PostgreSQL found an index damaged"},
};

}  // namespace

absl::Status PgErrorOf(absl::string_view sqlstate, absl::string_view message) {
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  absl::string_view advice;
  for (const KnownError& known : kKnownErrors) {
    if (!absl::StartsWith(sqlstate, known.sqlstate)) continue;
    code = known.code;
    advice = known.advice;
    break;
  }
  const absl::string_view text = absl::StripAsciiWhitespace(message);
  if (!advice.empty()) return {code, absl::StrCat(advice, " (", text, ")")};
  return {code, absl::StrCat("PostgreSQL: ", text)};
}

bool IsConflict(absl::string_view sqlstate) { return sqlstate == "40001" || sqlstate == "40P01"; }

bool IsOutOfMemory(absl::string_view sqlstate) { return sqlstate == "53200"; }

bool IsReadOnly(absl::string_view sqlstate) { return sqlstate == "25006"; }

}  // namespace hapax
