#ifndef HAPAX_STORAGE_POSTGRES_SQL_VALUES_H_
#define HAPAX_STORAGE_POSTGRES_SQL_VALUES_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/storage/sql_connection.h"
#include "libpq-fe.h"

namespace hapax {

// Bytes in binary format, all else as text of a type that the statement tells.
// Errors: INVALID_ARGUMENT, text with a zero byte; it names the parameter.
[[nodiscard]] absl::StatusOr<PgTypedParameters> PgParametersOf(absl::Span<const SqlValue> values);

// Requires: the result is in text format.
[[nodiscard]] SqlResult SqlResultOf(const PGresult* result);

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_SQL_VALUES_H_
