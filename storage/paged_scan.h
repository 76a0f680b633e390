#ifndef HAPAX_STORAGE_PAGED_SCAN_H_
#define HAPAX_STORAGE_PAGED_SCAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"

namespace hapax {

// The rows of one page at most; of a shared engine one fetch returns them (storage/remote/speculation.h). A page ends
// early after so many bytes of keys and values.
inline constexpr int64_t kPageRows = 128;
inline constexpr int64_t kPageBytes = int64_t{1} << 20;

struct RowPage {
  std::vector<std::pair<std::string, std::string>> rows;  // Key and value, ascending.
  bool has_more = false;
};

// Reads the first page of the range, by one query. Blocks. Errors: those of the store.
[[nodiscard]] absl::StatusOr<RowPage> ReadPage(Store& store, Table table, const KeyRange& range);

// Visits the rows of a range, however many, in ascending order, each once. Each page is a query of its own, so the rows
// are not of one moment: a row that is written meanwhile is seen as it was before or after, and one that is inserted or
// deleted is seen or not. `visit` runs on the caller's thread. Blocks.
// Errors: those of the store.
[[nodiscard]] absl::Status PagedScan(Store& store, Table table, KeyRange range,
                                     absl::FunctionRef<void(std::string_view key, std::string_view value)> visit);

}  // namespace hapax

#endif  // HAPAX_STORAGE_PAGED_SCAN_H_
