#include "hapax/client/journal/sqlite_statement.h"

#include "absl/strings/str_cat.h"

namespace hapax::client {

absl::Status FromSqlite(sqlite3* db, int code, const std::string& what) {
  const std::string message = absl::StrCat(what, ": ", sqlite3_errmsg(db));
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace hapax::client
