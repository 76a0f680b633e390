#ifndef HAPAX_STORAGE_SQL_CONNECTION_H_
#define HAPAX_STORAGE_SQL_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hapax {

struct SqlNull {
  friend bool operator==(SqlNull, SqlNull) { return true; }
};

struct SqlBytes {
  std::string bytes;
  friend bool operator==(const SqlBytes&, const SqlBytes&) = default;
};

// A parameter of a statement, or a value of a result. A string is text without a zero byte.
using SqlValue = std::variant<SqlNull, bool, int64_t, double, std::string, SqlBytes>;

// The rows of one statement. Integers, floats, booleans and bytea have their type; all else is text, such as numeric.
//
// Thread-safety: like a standard container.
class SqlResult {
 public:
  SqlResult() = default;
  SqlResult(std::vector<std::string> columns, std::vector<std::vector<SqlValue>> rows, int64_t affected)
      : columns_(std::move(columns)), rows_(std::move(rows)), rows_affected_(affected) {}

  [[nodiscard]] size_t size() const { return rows_.size(); }
  // Rows that the statement inserted, updated or deleted; for a SELECT, the rows of the result.
  [[nodiscard]] int64_t rows_affected() const { return rows_affected_; }

  // The value in a row, from 0 on, and a column, by name.
  // Errors, which name the column: OUT_OF_RANGE, there is no such row; NOT_FOUND, no such column; FAILED_PRECONDITION,
  // the value is NULL; INVALID_ARGUMENT, it has another type.
  [[nodiscard]] absl::StatusOr<int64_t> Int64(size_t row, absl::string_view column) const;
  [[nodiscard]] absl::StatusOr<double> Double(size_t row, absl::string_view column) const;
  [[nodiscard]] absl::StatusOr<bool> Bool(size_t row, absl::string_view column) const;
  [[nodiscard]] absl::StatusOr<std::string> String(size_t row, absl::string_view column) const;
  [[nodiscard]] absl::StatusOr<std::string> Bytes(size_t row, absl::string_view column) const;
  // Errors: OUT_OF_RANGE and NOT_FOUND, as above.
  [[nodiscard]] absl::StatusOr<bool> IsNull(size_t row, absl::string_view column) const;

 private:
  [[nodiscard]] absl::StatusOr<const SqlValue*> Find(size_t row, absl::string_view column) const;
  template <typename T>
  [[nodiscard]] absl::StatusOr<T> Typed(size_t row, absl::string_view column, absl::string_view type) const;

  std::vector<std::string> columns_;
  std::vector<std::vector<SqlValue>> rows_;
  int64_t rows_affected_ = 0;
};

// Statements within one open transaction of an SQL database.
//
//   connection.Execute("UPDATE accounts SET balance = balance - $2 WHERE id = $1", {account, amount});
//
// Thread-safety: for one thread at a time. Each statement blocks.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  // Runs one statement, with parameters $1, $2 and so on. It begins with SELECT, INSERT, UPDATE, DELETE, MERGE, WITH,
  // VALUES, TABLE or LOCK: what ends the transaction, or changes the session, is refused.
  // Errors: INVALID_ARGUMENT, the statement is of another kind, or a value does not fit; ALREADY_EXISTS, a unique
  // constraint; FAILED_PRECONDITION, another constraint; PERMISSION_DENIED, the role may not; INTERNAL, the statement
  // is wrong; RESOURCE_EXHAUSTED, its disk is full; ABORTED, a conflict with another transaction; UNAVAILABLE, the
  // database does not answer. Those of the
  // database have an SqlStateOf. After any error the transaction can only be rolled back.
  [[nodiscard]] virtual absl::StatusOr<SqlResult> Execute(absl::string_view sql,
                                                          absl::Span<const SqlValue> parameters) = 0;
  [[nodiscard]] absl::StatusOr<SqlResult> Execute(absl::string_view sql,
                                                  std::initializer_list<SqlValue> parameters = {}) {
    return Execute(sql, absl::MakeConstSpan(parameters.begin(), parameters.size()));
  }
};

// Gives the error the SQLSTATE, five characters; SqlStateOf returns it, or "" if there is none.
[[nodiscard]] absl::Status WithSqlState(absl::Status error, absl::string_view sqlstate);
[[nodiscard]] std::string SqlStateOf(const absl::Status& error);

}  // namespace hapax

#endif  // HAPAX_STORAGE_SQL_CONNECTION_H_
