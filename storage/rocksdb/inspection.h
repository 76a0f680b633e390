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

// A data directory that no server has open, for looking at its rows, including damaged ones, and for dropping one.
//
// It holds the directory's lock. Opening moves the rows of the log into tables, as every start does, and changes
// nothing else.
//
// Thread-safety: for one thread.
// Errors: those of OpenRocksDbStore; FAILED_PRECONDITION also for a directory of an earlier format, or a missing one.
class Inspection {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Inspection>> Open(const std::string& path);
  ~Inspection();
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  // Visits the rows of the table until `visit` returns false. Errors: DATA_LOSS, a block of the table is damaged, and
  // its rows and all later ones cannot be visited.
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
