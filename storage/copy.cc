#include "hapax/storage/copy.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/base/random_name.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/format.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/copy.pb.h"
#include "hapax/store/v1/work.pb.h"

namespace hapax {
namespace {

using store::v1::CopyRow;
using Row = std::pair<std::string, std::string>;

// Renewals come each third of a lease; a server that is late with one has until then.
constexpr absl::Duration kGrace = absl::Seconds(1);

std::string CopyKey() { return KeyBuilder().String("copy").Build(); }
std::string LeasePrefix() { return KeyBuilder().String(kWorkLeaseKind).Build(); }

std::string NameOf(Table table) { return table == Table::kMeta ? "meta" : std::string(TableName(table)); }

bool IsLease(std::string_view key) {
  const std::string prefix = LeasePrefix();
  return key.substr(0, prefix.size()) == prefix;
}

// What a store or a server records about itself alone.
bool IsOwn(Table table, std::string_view key) {
  return table == Table::kMeta && (key == kFormatVersionKey || key == kLogIdKey || key == CopyKey() || IsLease(key));
}

absl::StatusOr<std::optional<CopyRow>> ReadCopyRow(const ReadTransaction& txn) {
  return GetRow<CopyRow>(txn, Table::kMeta, CopyKey());
}

// Whether the row holds no server up, nor another copy.
bool IsOver(const CopyRow& row) { return row.role() == CopyRow::ROLE_COPIED; }

// Why no server starts on a store with this row, and nothing is copied to it. Requires: it is not over.
absl::Status Refusal(const CopyRow& row) {
  switch (row.role()) {
    case CopyRow::ROLE_MOVED:
      return absl::FailedPreconditionError(absl::StrCat("its rows were moved to ", row.other(),
                                                        ", where servers may have changed them since: start there"));
    case CopyRow::ROLE_SOURCE:
      return absl::FailedPreconditionError(absl::StrCat("its rows are being copied to ", row.other(),
                                                        ": finish that with hapaxctl admin copy, or give it up with "
                                                        "hapaxctl admin copy --cancel"));
    default:
      return absl::FailedPreconditionError(
          absl::StrCat("a copy of ", row.other(),
                       " into it is not finished: run that hapaxctl admin copy again, or use another place if it was "
                       "given up"));
  }
}

// The first table that has rows besides those of a store about itself; leases of servers count.
absl::StatusOr<std::optional<Table>> TableWithRows(const ReadTransaction& txn) {
  for (const Table table : kAllTables) {
    bool has_rows = false;
    HAPAX_RETURN_IF_ERROR(txn.Scan(table, KeyRange(), [&](std::string_view key, std::string_view) {
      has_rows = !IsOwn(table, key) || IsLease(key);
      return !has_rows;
    }));
    if (has_rows) return table;
  }
  return std::nullopt;
}

absl::Status CheckIsEmpty(const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<Table> table, TableWithRows(txn));
  if (!table.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("it has rows of its own, in table ", NameOf(*table), ": copy to a place without rows"));
}

// What a store has to do with copies.
absl::StatusOr<std::optional<CopyRow>> CopyRowOf(Store& store) {
  std::optional<CopyRow> row;
  HAPAX_RETURN_IF_ERROR(QueryAndWait(store, [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(row, ReadCopyRow(txn));
    return absl::OkStatus();
  }));
  return row;
}

// Whether both are of one copy.
bool AreOfOne(const std::optional<CopyRow>& source, const std::optional<CopyRow>& target) {
  return source.has_value() && target.has_value() && source->copy_id() == target->copy_id();
}

// The target's row before the copy, or nullopt if it is empty. Errors: it can be no target.
absl::StatusOr<std::optional<CopyRow>> LookAtTarget(Store& to, const std::optional<CopyRow>& source) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<CopyRow> row, CopyRowOf(to));
  if (AreOfOne(source, row)) return row;
  if (row.has_value() && !IsOver(*row)) return Refusal(*row);
  HAPAX_RETURN_IF_ERROR(QueryAndWait(to, CheckIsEmpty));
  return std::nullopt;
}

// Marks the source. Returns the id of the copy: that of the interrupted one, if the target has that. An interrupted
// copy to another target cannot go on then.
absl::StatusOr<std::string> BeginAtSource(Store& from, const std::optional<CopyRow>& target,
                                          const CopyOptions& options) {
  const std::string new_id = RandomName();
  std::string id;
  const absl::Status begun = ExecuteAndWait(from, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(std::optional<CopyRow> row, ReadCopyRow(txn));
    if (AreOfOne(row, target)) {
      id = row->copy_id();
      return absl::OkStatus();
    }
    if (row.has_value() && row->role() != CopyRow::ROLE_SOURCE && !IsOver(*row)) return Refusal(*row);
    HAPAX_ASSIGN_OR_RETURN(const std::optional<Table> table, TableWithRows(txn));
    if (!table.has_value()) return absl::FailedPreconditionError("it has no rows: no server has ever run on it");
    row.emplace();
    row->set_role(CopyRow::ROLE_SOURCE);
    row->set_copy_id(id = new_id);
    row->set_other(options.to);
    PutRow(txn, Table::kMeta, CopyKey(), *row);
    return absl::OkStatus();
  });
  if (!begun.ok()) return begun;
  return id;
}

// Marks the target, and returns where the copy stands.
absl::StatusOr<CopyRow> BeginAtTarget(Store& to, const std::string& id, const CopyOptions& options) {
  CopyRow stands;
  const absl::Status begun = ExecuteAndWait(to, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(std::optional<CopyRow> row, ReadCopyRow(txn));
    if (!row.has_value() || IsOver(*row)) {
      HAPAX_RETURN_IF_ERROR(CheckIsEmpty(txn));
      row.emplace();
      row->set_role(CopyRow::ROLE_TARGET);
      row->set_copy_id(id);
      row->set_other(options.from);
      PutRow(txn, Table::kMeta, CopyKey(), *row);
    } else if (row->role() != CopyRow::ROLE_TARGET || row->copy_id() != id) {
      return Refusal(*row);
    }
    stands = *std::move(row);
    return absl::OkStatus();
  });
  if (!begun.ok()) return begun;
  return stands;
}

absl::StatusOr<std::map<std::string, std::string>> LeasesOf(Store& store) {
  std::map<std::string, std::string> leases;
  HAPAX_RETURN_IF_ERROR(PagedScan(
      store, Table::kMeta, KeyRange::Prefix(LeasePrefix()),
      [&](std::string_view key, std::string_view value) { leases.emplace(std::string(key), std::string(value)); }));
  return leases;
}

// Servers that start from now on see the source's mark. One that runs already renews its lease.
absl::Status CheckHasNoServer(Store& from, const CopyOptions& options) {
  HAPAX_ASSIGN_OR_RETURN(const auto before, LeasesOf(from));
  if (before.empty()) return absl::OkStatus();
  absl::Duration longest;
  for (const auto& [key, value] : before) {
    store::v1::WorkLeaseRow lease;
    if (DecodeRow(key, value, &lease).ok()) longest = std::max(longest, FromProtoDuration(lease.length()));
  }
  options.sleep(longest + kGrace);
  HAPAX_ASSIGN_OR_RETURN(const auto after, LeasesOf(from));
  for (const auto& [key, value] : after) {
    const auto found = before.find(key);
    if (found != before.end() && found->second == value) continue;
    return absl::FailedPreconditionError("a server runs on it: stop all of its servers");
  }
  return absl::OkStatus();
}

// Puts the rows and where the copy then stands; in halves, if they are too many at once.
absl::Status PutRows(Store& to, Table table, absl::Span<const Row> rows, CopyRow& stands) {
  CopyRow next = stands;
  next.set_table(static_cast<int32_t>(table));
  next.set_last_key(rows.back().first);
  next.set_row_count(stands.row_count() + static_cast<int64_t>(rows.size()));
  absl::Status status = ExecuteAndWait(to, [&](Transaction& txn) -> absl::Status {
    for (const auto& [key, value] : rows) txn.Put(table, key, value);
    PutRow(txn, Table::kMeta, CopyKey(), next);
    return absl::OkStatus();
  });
  if (absl::IsResourceExhausted(status)) {
    if (rows.size() == 1) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a row of table ", NameOf(table), " has ", rows.front().first.size() + rows.front().second.size(),
          " bytes, more than the store takes at once: ", absl::BytesToHexString(rows.front().first), ": ",
          status.message()));
    }
    const size_t half = rows.size() / 2;
    HAPAX_RETURN_IF_ERROR(PutRows(to, table, rows.first(half), stands));
    return PutRows(to, table, rows.subspan(half), stands);
  }
  if (status.ok()) stands = std::move(next);
  return status;
}

absl::Status CopyTable(Store& from, Store& to, Table table, CopyRow& stands,
                       absl::FunctionRef<void(const CopyProgress&)> report) {
  KeyRange range;
  if (stands.table() == static_cast<int32_t>(table) && !stands.last_key().empty()) {
    range = KeyRange::After(std::move(range), stands.last_key());
  }
  while (true) {
    HAPAX_ASSIGN_OR_RETURN(RowPage page, ReadPage(from, table, range));
    if (page.has_more) range = KeyRange::After(std::move(range), page.rows.back().first);
    std::erase_if(page.rows, [&](const Row& row) { return IsOwn(table, row.first); });
    if (!page.rows.empty()) HAPAX_RETURN_IF_ERROR(PutRows(to, table, page.rows, stands));
    report({.step = CopyProgress::Step::kCopy, .rows = stands.row_count()});
    if (!page.has_more) return absl::OkStatus();
  }
}

// The rows of a table one after the other, but for a store's own.
class Rows {
 public:
  Rows(Store& store, Table table) : store_(store), table_(table) {}

  // Null after the last one.
  absl::StatusOr<const Row*> Next() {
    while (true) {
      for (; at_ < page_.rows.size(); ++at_) {
        if (!IsOwn(table_, page_.rows[at_].first)) return &page_.rows[at_++];
      }
      if (!page_.has_more) return nullptr;
      if (!page_.rows.empty()) range_ = KeyRange::After(std::move(range_), std::move(page_.rows.back().first));
      HAPAX_ASSIGN_OR_RETURN(page_, ReadPage(store_, table_, range_));
      at_ = 0;
    }
  }

 private:
  Store& store_;
  const Table table_;
  KeyRange range_;
  RowPage page_ = {.rows = {}, .has_more = true};
  size_t at_ = 0;
};

absl::Status CompareTable(Store& from, Store& to, Table table, int64_t& row_count,
                          absl::FunctionRef<void(const CopyProgress&)> report) {
  Rows source(from, table);
  Rows target(to, table);
  while (true) {
    HAPAX_ASSIGN_OR_RETURN(const Row* const sent, source.Next());
    HAPAX_ASSIGN_OR_RETURN(const Row* const received, target.Next());
    if (sent == nullptr && received == nullptr) break;
    if (sent == nullptr || received == nullptr || *sent != *received) {
      return absl::DataLossError(
          absl::StrCat("after the copy a row of table ", NameOf(table), " differs: ",
                       absl::BytesToHexString(std::min(sent == nullptr ? received->first : sent->first,
                                                       received == nullptr ? sent->first : received->first)),
                       ". Give the copy up with hapaxctl admin copy --cancel, and begin again with an empty target"));
    }
    if (++row_count % kPageRows == 0) report({.step = CopyProgress::Step::kVerify, .rows = row_count});
  }
  return absl::OkStatus();
}

// The source's servers never start again.
absl::Status Retire(Store& from, const std::string& id, const CopyOptions& options) {
  return ExecuteAndWait(from, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(std::optional<CopyRow> row, ReadCopyRow(txn));
    if (!row.has_value() || row->copy_id() != id) return absl::FailedPreconditionError("the copy was given up");
    row->set_role(CopyRow::ROLE_MOVED);
    row->set_other(options.to);
    PutRow(txn, Table::kMeta, CopyKey(), *row);
    return absl::OkStatus();
  });
}

// Servers start on the target.
absl::Status Open(Store& to, const CopyRow& stands) {
  CopyRow copied = stands;
  copied.set_role(CopyRow::ROLE_COPIED);
  copied.clear_table();
  copied.clear_last_key();
  return ExecuteAndWait(to, [&](Transaction& txn) {
    PutRow(txn, Table::kMeta, CopyKey(), copied);
    return absl::OkStatus();
  });
}

absl::Status Named(const std::string& name, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

}  // namespace

absl::StatusOr<int64_t> CopyStore(Store& from, Store& to, const CopyOptions& options,
                                  absl::FunctionRef<void(const CopyProgress&)> report) {
  const absl::StatusOr<std::optional<CopyRow>> source = CopyRowOf(from);
  if (!source.ok()) return Named(options.from, source.status());
  const absl::StatusOr<std::optional<CopyRow>> target = LookAtTarget(to, *source);
  if (!target.ok()) return Named(options.to, target.status());
  // An earlier run ended before it could say so.
  if (target->has_value() && IsOver(**target)) return (*target)->row_count();
  const absl::StatusOr<std::string> id = BeginAtSource(from, *target, options);
  if (!id.ok()) return Named(options.from, id.status());
  absl::StatusOr<CopyRow> stands = BeginAtTarget(to, *id, options);
  if (!stands.ok()) return Named(options.to, stands.status());
  HAPAX_RETURN_IF_ERROR(Named(options.from, CheckHasNoServer(from, options)));
  for (const Table table : kAllTables) {
    if (static_cast<int32_t>(table) < stands->table()) continue;
    HAPAX_RETURN_IF_ERROR(CopyTable(from, to, table, *stands, report));
  }
  int64_t row_count = 0;
  for (const Table table : kAllTables) HAPAX_RETURN_IF_ERROR(CompareTable(from, to, table, row_count, report));

  // In this order, so that at no moment both serve.
  const absl::Status retired = Retire(from, *id, options);
  if (!retired.ok()) return Named(options.from, retired);
  const absl::Status opened = Open(to, *stands);
  if (!opened.ok()) return Named(options.to, opened);
  return row_count;
}

absl::Status CancelCopy(Store& from) {
  return ExecuteAndWait(from, [](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const std::optional<CopyRow> row, ReadCopyRow(txn));
    if (!row.has_value() || IsOver(*row)) return absl::FailedPreconditionError("its rows are not being copied");
    if (row->role() != CopyRow::ROLE_SOURCE) return Refusal(*row);
    txn.Delete(Table::kMeta, CopyKey());
    return absl::OkStatus();
  });
}

absl::Status CheckIsNotCopied(Store& store) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<CopyRow> row, CopyRowOf(store));
  return row.has_value() && !IsOver(*row) ? Refusal(*row) : absl::OkStatus();
}

}  // namespace hapax
