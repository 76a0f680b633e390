#include "hapax/storage/paged_scan.h"

#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"

namespace hapax {

absl::StatusOr<RowPage> ReadPage(Store& store, Table table, const KeyRange& range) {
  RowPage page;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store, [&](const ReadTransaction& txn) {
    page = RowPage();  // A body may run more than once.
    int64_t bytes = 0;
    return txn.Scan(table, range, [&](std::string_view key, std::string_view value) {
      page.rows.emplace_back(key, value);
      bytes += static_cast<int64_t>(key.size() + value.size());
      page.has_more = static_cast<int64_t>(page.rows.size()) >= kPageRows || bytes >= kPageBytes;
      return !page.has_more;
    });
  }));
  return page;
}

absl::Status PagedScan(Store& store, Table table, KeyRange range,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit) {
  while (true) {
    HAPAX_ASSIGN_OR_RETURN(RowPage page, ReadPage(store, table, range));
    for (const auto& [key, value] : page.rows) visit(key, value);
    if (!page.has_more) return absl::OkStatus();
    range = KeyRange::After(std::move(range), std::move(page.rows.back().first));
  }
}

}  // namespace hapax
