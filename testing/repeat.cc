#include "hapax/testing/repeat.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/draft.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/service_table.h"
#include "hapax/store/v1/work.pb.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/testing/same_row.h"

namespace hapax {
namespace {

// 26 hours, 1 minute, 1 second, 1 millisecond and 1 microsecond.
constexpr absl::Duration kAhead = absl::Microseconds(93'661'001'001);
constexpr size_t kMaxShownBytes = 80;

std::string ShownBytes(std::string_view bytes) {
  const std::string_view part = bytes.substr(0, kMaxShownBytes);
  return absl::StrCat("\"", absl::CEscape(absl::string_view(part.data(), part.size())),
                      part.size() < bytes.size() ? "...\"" : "\"");
}

// Shows a key made of strings (key.h) as `("account", "anna")`, and any other key as its bytes.
std::string ShownKey(std::string_view key) {
  std::vector<std::string> elements;
  KeyParser parser(key);
  while (!parser.AtEnd()) {
    const absl::StatusOr<std::string> element = parser.String();
    if (!element.ok()) return ShownBytes(key);
    elements.push_back(ShownBytes(*element));
  }
  return elements.empty() ? ShownBytes(key) : absl::StrCat("(", absl::StrJoin(elements, ", "), ")");
}

std::string Shown(const Overlay::Value& value) {
  return value.has_value() ? "puts " + ShownBytes(*value) : "deletes it";
}

std::string Shown(const absl::Status& status) { return status.ok() ? "returns OK" : "returns " + status.ToString(); }

std::string Differ(std::string_view what, std::string_view first, std::string_view second) {
  return absl::StrCat(std::string(what), ": a first run ", std::string(first), ", a second one ", std::string(second));
}

// Returns kind and subject of all scheduled work. Keys are left out, since they are random.
std::vector<std::string> ScheduledWork(const Overlay& writes) {
  std::vector<std::string> scheduled;
  for (const auto& [key, value] : writes.rows(Table::kWork)) {
    store::v1::WorkRecord record;
    if (!value.has_value() || !DecodeRow(key, *value, &record).ok()) continue;
    scheduled.push_back(absl::StrCat("\"", record.kind(), "\" of ", ShownBytes(record.subject())));
  }
  std::sort(scheduled.begin(), scheduled.end());
  return scheduled;
}

std::optional<std::string> DifferenceOf(Table table, const Overlay& first, const Overlay& second,
                                        std::string_view table_prefix) {
  const auto row_differs = [&](std::string_view key, std::string_view one, std::string_view other) {
    if (table == Table::kResources && key.starts_with(table_prefix)) key.remove_prefix(table_prefix.size());
    const std::string_view name = TableName(table);
    return Differ(absl::StrCat("row ", ShownKey(key), " of table ", std::string(name)), one, other);
  };
  for (const auto& [key, value] : first.rows(table)) {
    const Overlay::Value* again = second.Find(table, key);
    if (again == nullptr) return row_differs(key, Shown(value), "leaves it alone");
    const bool is_same =
        value.has_value() == again->has_value() && (!value.has_value() || IsSameRowValue(*value, **again));
    if (!is_same) return row_differs(key, Shown(value), Shown(*again));
  }
  for (const auto& [key, value] : second.rows(table)) {
    if (first.Find(table, key) == nullptr) return row_differs(key, "leaves it alone", Shown(value));
  }
  return std::nullopt;
}

std::optional<std::string> DifferenceOf(DraftTransaction& first, DraftTransaction& second,
                                        std::string_view table_prefix) {
  for (const Table table : kAllTables) {
    if (table == Table::kWork) continue;
    if (auto difference = DifferenceOf(table, first.writes(), second.writes(), table_prefix)) return difference;
  }
  const auto schedules = [](const std::vector<std::string>& scheduled) {
    return scheduled.empty() ? "schedules none" : absl::StrCat("schedules ", absl::StrJoin(scheduled, ", "));
  };
  const std::vector<std::string> work = ScheduledWork(first.writes());
  const std::vector<std::string> work_again = ScheduledWork(second.writes());
  if (work != work_again) return Differ("work", schedules(work), schedules(work_again));
  if (first.hooks().size() != second.hooks().size()) {
    return Differ("hooks for the commit", absl::StrCat("leaves ", first.hooks().size()),
                  absl::StrCat("leaves ", second.hooks().size()));
  }
  return std::nullopt;
}

}  // namespace

RepeatedRun RunTwice(Transaction& txn, CountedIds* ids, RepeatableBody body, std::string_view table_prefix) {
  std::optional<CountedIds::Repetition> repetition;
  if (ids != nullptr) repetition.emplace(*ids);
  DraftTransaction first(txn);
  absl::Status first_status;
  {
    const ManualClock::AheadOnThisThread ahead(kAhead);
    first_status = body(first, 1);
  }
  if (repetition.has_value()) repetition->BeginSecondRun();
  DraftTransaction second(txn);
  RepeatedRun run{.status = body(second, 2), .difference = std::nullopt};
  if (first_status != run.status) {
    run.difference = Differ("status", Shown(first_status), Shown(run.status));
  } else if (run.status.ok()) {
    run.difference = DifferenceOf(first, second, table_prefix);
  }
  if (run.status.ok()) second.CommitTo(txn);
  return run;
}

absl::Status ExecuteTwice(Store& store, std::string_view service, absl::FunctionRef<absl::Status(Transaction&)> body,
                          CountedIds* ids) {
  const std::string prefix = ServiceTablePrefix(service);
  return ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    RepeatedRun run = RunTwice(
        txn, ids,
        [&](Transaction& draft, int /*run*/) {
          ServiceTransaction own(draft, prefix);
          return body(own);
        },
        prefix);
    if (!run.difference.has_value()) return std::move(run.status);
    return absl::InternalError(absl::StrCat("the body is not repeatable: ", *run.difference));
  });
}

}  // namespace hapax
