#ifndef HAPAX_STORAGE_ROCKSDB_INSPECTION_H_
#define HAPAX_STORAGE_ROCKSDB_INSPECTION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"

namespace hapax {

class Database;

// A data directory that no server has open, to look at its rows one by one, damaged ones too, and to drop one.
//
// It holds the directory's lock. Opening writes the rows of the log into tables, as every start does, and nothing else.
//
// Thread-safety: for one thread.
// Errors: as OpenRocksDbStore; FAILED_PRECONDITION, too, for a directory of an earlier format, or where there is
// none.
class Inspection {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Inspection>> Open(const std::string& path);
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  // Visits the rows of the table, until `visit` returns false. Errors: DATA_LOSS, a block of the table is damaged: the
  // rows in it and behind it cannot be visited.
  using Visitor = absl::FunctionRef<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const;
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const;

  // Drops the row, durably.
  [[nodiscard]] absl::Status Drop(Table table, const std::string& key);

 private:
  explicit Inspection(std::unique_ptr<Database> database);

  const std::unique_ptr<Database> database_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ROCKSDB_INSPECTION_H_
