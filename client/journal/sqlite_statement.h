#ifndef HAPAX_CLIENT_JOURNAL_SQLITE_STATEMENT_H_
#define HAPAX_CLIENT_JOURNAL_SQLITE_STATEMENT_H_

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace hapax::client {

// Converts an SQLite error. DATA_LOSS: the file is damaged or not a database. PERMISSION_DENIED: it may not be opened
// or written. Else UNAVAILABLE. The message begins with `what`.
[[nodiscard]] absl::Status FromSqlite(sqlite3* db, int code, const std::string& what);

// A running SQL statement. Its parameters are bound in order, it is stepped through, and the destructor finalizes it.
// After an error its methods do nothing.
//
//   Statement read(db, "SELECT name FROM pets WHERE legs = ?");
//   read.Bind(4);
//   while (read.Step()) names.push_back(read.Bytes(0));
//   if (absl::Status status = read.status("pets"); !status.ok()) return status;
//
// Thread-safety: for one thread. Lifetime: the database outlives it.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) { status_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value) { return Check(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& Bind(const std::string& bytes) {
    return Check(sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
  }
  // Returns true if there is a row; false at the end, or after an error.
  bool Step() {
    if (status_ != SQLITE_OK) return false;
    const int stepped = sqlite3_step(statement_);
    if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) status_ = stepped;
    return stepped == SQLITE_ROW;
  }
  [[nodiscard]] int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::string Bytes(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    if (bytes == nullptr) return "";  // NULL or empty.
    return {static_cast<const char*>(bytes), static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  [[nodiscard]] absl::Status status(const std::string& what) const {
    return status_ == SQLITE_OK ? absl::OkStatus() : FromSqlite(db_, status_, what);
  }

 private:
  Statement& Check(int code) {
    if (status_ == SQLITE_OK) status_ = code;
    return *this;
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int status_ = SQLITE_OK;
  int bound_ = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_SQLITE_STATEMENT_H_
