#include "hapax/storage/sql_connection.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

// Payload types with this prefix are not sent to clients.
constexpr char kSqlStatePayload[] = "hapax/sqlstate";

}  // namespace

absl::StatusOr<const SqlValue*> SqlResult::Find(size_t row, absl::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) return absl::NotFoundError(absl::StrCat("the result has no column ", column));
  if (row >= rows_.size()) {
    return absl::OutOfRangeError(absl::StrCat("column ", column, ": the result has no row ", row));
  }
  return &rows_[row][static_cast<size_t>(found - columns_.begin())];
}

template <typename T>
absl::StatusOr<T> SqlResult::Typed(size_t row, absl::string_view column, absl::string_view type) const {
  HAPAX_ASSIGN_OR_RETURN(const SqlValue* const value, Find(row, column));
  if (const T* const typed = std::get_if<T>(value)) return *typed;
  if (std::holds_alternative<SqlNull>(*value)) {
    return absl::FailedPreconditionError(absl::StrCat("column ", column, " is NULL in row ", row));
  }
  return absl::InvalidArgumentError(absl::StrCat("column ", column, " is not of type ", type));
}

absl::StatusOr<int64_t> SqlResult::Int64(size_t row, absl::string_view column) const {
  return Typed<int64_t>(row, column, "int64");
}

absl::StatusOr<double> SqlResult::Double(size_t row, absl::string_view column) const {
  return Typed<double>(row, column, "double");
}

absl::StatusOr<bool> SqlResult::Bool(size_t row, absl::string_view column) const {
  return Typed<bool>(row, column, "bool");
}

absl::StatusOr<std::string> SqlResult::String(size_t row, absl::string_view column) const {
  return Typed<std::string>(row, column, "string");
}

absl::StatusOr<std::string> SqlResult::Bytes(size_t row, absl::string_view column) const {
  HAPAX_ASSIGN_OR_RETURN(SqlBytes value, Typed<SqlBytes>(row, column, "bytes"));
  return std::move(value.bytes);
}

absl::StatusOr<bool> SqlResult::IsNull(size_t row, absl::string_view column) const {
  HAPAX_ASSIGN_OR_RETURN(const SqlValue* const value, Find(row, column));
  return std::holds_alternative<SqlNull>(*value);
}

absl::Status WithSqlState(absl::Status error, absl::string_view sqlstate) {
  if (!sqlstate.empty()) error.SetPayload(kSqlStatePayload, absl::Cord(sqlstate));
  return error;
}

std::string SqlStateOf(const absl::Status& error) {
  const auto sqlstate = error.GetPayload(kSqlStatePayload);
  return sqlstate.has_value() ? std::string(*sqlstate) : "";
}

}  // namespace hapax
