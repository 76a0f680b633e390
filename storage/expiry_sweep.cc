#include "hapax/storage/expiry_sweep.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"

namespace hapax {

absl::StatusOr<ExpirySweep::Page> ExpirySweep::Next() {
  using Fate = ExpiryRule::Fate;
  const Table table = rule_.table();
  std::vector<std::string> expired;
  std::string next;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store_, [&](const ReadTransaction& txn) {
    expired.clear();
    next.clear();
    int64_t rows = 0;
    return txn.Scan(table, {.begin = begin_}, [&](std::string_view key, std::string_view value) {
      std::string replacement;
      if (rule_.FateOf(key, value, replacement) != Fate::kKeep) expired.emplace_back(key);
      if (++rows < kPageRows) return true;
      next = KeyRange::After({}, std::string(key)).begin;
      return false;
    });
  }));

  Page page{.at_end = next.empty()};
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
  begin_ = std::move(next);
  return page;
}

}  // namespace hapax
