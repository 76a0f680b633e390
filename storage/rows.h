#ifndef HAPAX_STORAGE_ROWS_H_
#define HAPAX_STORAGE_ROWS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "hapax/base/message_check.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/format.h"
#include "hapax/storage/store.h"

namespace hapax {

// Returns the row's message, or nullopt when there is no row. Errors: those of the store; DATA_LOSS for a damaged row.
template <typename Row>
[[nodiscard]] absl::StatusOr<std::optional<Row>> GetRow(const ReadTransaction& txn, Table table, std::string_view key) {
  HAPAX_ASSIGN_OR_RETURN(std::optional<std::string> value, txn.Get(table, key));
  if (!value.has_value()) return std::optional<Row>();
  Row row;
  HAPAX_RETURN_IF_ERROR(DecodeRow(key, *value, &row));
  return std::optional<Row>(std::move(row));
}

// Puts a row that GetRow can read again. One that lacks a required field, or has a string that is not UTF-8, makes the
// transaction fail: INTERNAL, naming the field.
template <typename Row>
void PutRow(Transaction& txn, Table table, std::string key, const Row& row) {
  if (absl::Status complete = CheckComplete(row); !complete.ok()) return txn.Refuse(std::move(complete));
  std::string value = EncodeRow(key, row);
  if (absl::Status text = CheckText(row, PayloadOfRow(value)); !text.ok()) return txn.Refuse(std::move(text));
  txn.Put(table, std::move(key), std::move(value));
}

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROWS_H_
