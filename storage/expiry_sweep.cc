#include "hapax/storage/expiry_sweep.h"

#include <optional>
#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/paged_scan.h"

namespace hapax {

absl::StatusOr<ExpirySweep::Page> ExpirySweep::Next() {
  using Fate = ExpiryRule::Fate;
  const Table table = rule_.table();
  HAPAX_ASSIGN_OR_RETURN(RowPage read, ReadPage(store_, table, rest_));
  std::vector<std::string> expired;
  for (const auto& [key, value] : read.rows) {
    std::string replacement;
    if (rule_.FateOf(key, value, replacement) != Fate::kKeep) expired.push_back(key);
  }
  Page page{.at_end = !read.has_more};
  if (!expired.empty()) {
    HAPAX_RETURN_IF_ERROR(ExecuteAndWait(store_, [&](Transaction& txn) -> absl::Status {
      page.changed = 0;
      for (const std::string& key : expired) {
        HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> value, txn.Get(table, key));
        if (!value.has_value()) continue;
        std::string replacement;
        const Fate fate = rule_.FateOf(key, *value, replacement);
        if (fate == Fate::kKeep) continue;
        ++page.changed;
        if (fate == Fate::kDrop) {
          txn.Delete(table, key);
        } else {
          txn.Put(table, key, std::move(replacement));
        }
      }
      return absl::OkStatus();
    }));
  }
  rest_ = read.has_more ? KeyRange::After({}, std::move(read.rows.back().first)) : KeyRange();
  return page;
}

}  // namespace hapax
