#include "hapax/storage/postgres/requests.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/storage/postgres/array.h"
#include "hapax/storage/postgres/layout.h"

namespace hapax {
namespace {

using Outcome = RemoteCommitted::Outcome;

// The places of the calls of a transaction that writes, without those that begin it.
enum Call : size_t { kWrite, kCommit };

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

std::string Smallint(Table table) { return PgSmallint(static_cast<int>(table)); }

// Keys of rows or granules, and what goes with each.
struct Keys {
  PgArray tables{PgType::kSmallint};
  PgArray keys{PgType::kBytea};

  void Add(const RemoteKey& key) {
    tables.Add(Smallint(key.table));
    keys.Add(key.key);
  }
  void AppendTo(std::vector<std::string>& parameters) const {
    parameters.push_back(tables.Encode());
    parameters.push_back(keys.Encode());
  }
};

void AppendReads(const std::vector<RemoteRead>& reads, std::vector<std::string>& parameters) {
  for (const RemoteKey::Kind kind : {RemoteKey::Kind::kRow, RemoteKey::Kind::kGranule}) {
    Keys keys;
    PgArray revisions(PgType::kBigint);
    for (const RemoteRead& read : reads) {
      if (read.key.kind != kind) continue;
      keys.Add(read.key);
      revisions.Add(PgBigint(read.revision));
    }
    keys.AppendTo(parameters);
    parameters.push_back(revisions.Encode());
  }
}

void AppendWrites(const std::vector<RemoteGroup::Write>& writes, std::vector<std::string>& parameters) {
  Keys put;
  PgArray values(PgType::kBytea);
  Keys deleted;
  Keys granules;
  for (const RemoteGroup::Write& write : writes) {
    if (write.key.kind == RemoteKey::Kind::kGranule) {
      granules.Add(write.key);
    } else if (write.value.has_value()) {
      put.Add(write.key);
      values.Add(*write.value);
    } else {
      deleted.Add(write.key);
    }
  }
  put.AppendTo(parameters);
  parameters.push_back(values.Encode());
  deleted.AppendTo(parameters);
  granules.AppendTo(parameters);
}

void AppendScans(const std::vector<RemoteFetch::Scan>& scans, std::vector<std::string>& parameters) {
  Keys first;
  Keys end;
  PgArray max_rows(PgType::kBigint);
  PgArray max_bytes(PgType::kBigint);
  for (const RemoteFetch::Scan& scan : scans) {
    first.tables.Add(Smallint(scan.table));
    first.keys.Add(scan.range.begin);
    // Without an end: the beginning of the next table.
    end.tables.Add(PgSmallint(static_cast<int>(scan.table) + (scan.range.end.empty() ? 1 : 0)));
    end.keys.Add(scan.range.end);
    // One more, to know whether there is one.
    max_rows.Add(PgBigint(scan.max_rows == 0 ? kAll : scan.max_rows + 1));
    max_bytes.Add(PgBigint(scan.max_bytes == 0 ? kAll : scan.max_bytes));
  }
  first.AppendTo(parameters);
  end.AppendTo(parameters);
  parameters.push_back(max_rows.Encode());
  parameters.push_back(max_bytes.Encode());
}

std::vector<PgCall> InTransaction(std::vector<PgCall> begin, PgCall call) {
  begin.push_back(std::move(call));
  begin.push_back({.statement = kCommitStatement});
  return begin;
}

std::vector<PgCall> Read(std::vector<PgCall> begin, PgCall call) {
  if (begin.empty()) return {std::move(call)};
  return InTransaction(std::move(begin), std::move(call));
}

RemoteSlot SlotAt(const PgRows& rows, int owner_column) {
  if (rows.count() == 0 || rows.IsNull(0, owner_column)) return {};
  return {.owner = std::string(rows.Bytes(0, owner_column)),
          .epoch = static_cast<uint64_t>(rows.Bigint(0, owner_column + 1)),
          .seq = static_cast<uint64_t>(rows.Bigint(0, owner_column + 2))};
}

// Of a transaction that writes: whether its end is known, and how it ended.
absl::Status UnknownReason(const PgReply& reply) {
  if (reply.has_warning) return absl::UnavailableError("PostgreSQL committed without waiting for its standby");
  if (reply.is_broken) return reply.status;
  if (reply.is_conflict) return absl::OkStatus();
  // An error of the commit itself. Those that PostgreSQL has today come before anything is committed.
  if (!reply.status.ok() && reply.rows.size() >= kCommit) return reply.status;
  return absl::OkStatus();
}

absl::Status RefusalOf(const PgReply& reply) {
  if (!reply.status.ok()) return reply.status;
  if (reply.Command(kCommit) == "COMMIT") return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("PostgreSQL answered to COMMIT with ", reply.Command(kCommit)));
}

// Whether the statement may have left rows out for their bytes.
bool ReachesBytes(const RemoteFetched::Rows& rows, int64_t max_bytes) {
  if (max_bytes == 0) return false;
  int64_t bytes = 0;
  for (const RemoteFetched::Row& row : rows.rows) bytes += static_cast<int64_t>(row.value.value->size());
  return bytes > max_bytes;
}

}  // namespace

PgReply WithoutBegin(size_t begin_size, PgReply reply) {
  const size_t skipped = std::min(begin_size, reply.rows.size());
  reply.rows.erase(reply.rows.begin(), reply.rows.begin() + static_cast<std::ptrdiff_t>(skipped));
  return reply;
}

std::vector<PgCall> FetchCalls(const RemoteFetch& fetch, std::vector<PgCall> begin) {
  Keys rows;
  Keys granules;
  for (const RemoteKey& key : fetch.keys) (key.kind == RemoteKey::Kind::kRow ? rows : granules).Add(key);
  PgCall call{.statement = kFetchStatement};
  rows.AppendTo(call.parameters);
  granules.AppendTo(call.parameters);
  AppendScans(fetch.scans, call.parameters);
  return Read(std::move(begin), std::move(call));
}

std::vector<PgCall> FetchAndHoldCalls(const RemoteFetch& fetch, std::vector<PgCall> begin) {
  std::vector<PgCall> calls = std::move(begin);
  for (PgCall& call : FetchCalls(fetch, {})) calls.push_back(std::move(call));
  return calls;
}

RemoteFetched FetchedOf(const RemoteFetch& fetch, const PgReply& reply) {
  enum Column { kPart, kPlace, kKey, kValue, kRevision };
  RemoteFetched fetched;
  fetched.values.resize(fetch.keys.size());
  fetched.scans.resize(fetch.scans.size());
  // Where the rows and granules are among the keys.
  std::vector<size_t> places[2];
  for (size_t i = 0; i < fetch.keys.size(); ++i) {
    places[fetch.keys[i].kind == RemoteKey::Kind::kRow ? 0 : 1].push_back(i);
  }
  const PgRows& rows = reply.rows[0];
  for (int row = 0; row < rows.count(); ++row) {
    const int64_t part = rows.Bigint(row, kPart);
    const auto place = static_cast<size_t>(rows.Bigint(row, kPlace) - 1);
    RemoteValue value{.revision = rows.Bigint(row, kRevision)};
    if (!rows.IsNull(row, kValue)) value.value = std::string(rows.Bytes(row, kValue));
    if (part == 2) {
      fetched.scans[place].rows.push_back({.key = std::string(rows.Bytes(row, kKey)), .value = std::move(value)});
    } else {
      fetched.values[places[part][place]] = std::move(value);
    }
  }
  for (size_t i = 0; i < fetch.scans.size(); ++i) {
    RemoteFetched::Rows& found = fetched.scans[i];
    std::sort(found.rows.begin(), found.rows.end(),
              [](const auto& one, const auto& other) { return one.key < other.key; });
    const auto max_rows = static_cast<size_t>(fetch.scans[i].max_rows);
    const bool has_all_rows = max_rows == 0 || found.rows.size() <= max_rows;
    if (!has_all_rows) found.rows.resize(max_rows);
    found.has_more = !has_all_rows || ReachesBytes(found, fetch.scans[i].max_bytes);
  }
  return fetched;
}

std::vector<PgCall> CompareCalls(const std::vector<RemoteRead>& reads, std::vector<PgCall> begin) {
  PgCall call{.statement = kCompareStatement};
  AppendReads(reads, call.parameters);
  return Read(std::move(begin), std::move(call));
}

bool ComparedOf(const PgReply& reply) { return reply.rows[0].Bool(0, 0); }

PgCall ApplyCall(const RemoteGroup& group) {
  PgCall apply{.statement = kApplyStatement,
               .parameters = {group.slot, group.before.owner, PgBigint(static_cast<int64_t>(group.before.epoch)),
                              PgBigint(static_cast<int64_t>(group.before.seq))}};
  AppendReads(group.reads, apply.parameters);
  AppendWrites(group.writes, apply.parameters);
  return apply;
}

std::optional<RemoteCommitted> NotAppliedOf(const PgRows& applied) {
  if (!applied.IsNull(0, 0)) return std::nullopt;
  return RemoteCommitted{.outcome = Outcome::kNotApplied, .slot = SlotAt(applied, 1)};
}

std::vector<PgCall> CommitCalls(const RemoteGroup& group, std::vector<PgCall> begin) {
  return InTransaction(std::move(begin), ApplyCall(group));
}

RemoteCommitted CommittedOf(const RemoteSlot& before, const PgReply& reply) {
  if (!reply.was_sent) return {.outcome = Outcome::kRefused, .status = reply.status};
  if (absl::Status unknown = UnknownReason(reply); !unknown.ok()) {
    return {.outcome = Outcome::kUnknown, .status = std::move(unknown)};
  }
  // What it compared is not known. If the slot has changed, the next try finds that out.
  if (reply.is_conflict) return {.outcome = Outcome::kNotApplied, .slot = before};
  if (absl::Status refusal = RefusalOf(reply); !refusal.ok()) {
    return {.outcome = Outcome::kRefused, .status = std::move(refusal)};
  }
  const PgRows& applied = reply.rows[kWrite];
  if (auto not_applied = NotAppliedOf(applied)) return *std::move(not_applied);
  return {.outcome = Outcome::kApplied, .revision = applied.Bigint(0, 0)};
}

std::vector<PgCall> InOpenTransaction(std::vector<PgCall> calls) {
  calls[0] = {.sql = "SELECT"};  // So that the places of the others stay.
  return calls;
}

std::vector<PgCall> RollBackCalls() { return {{.sql = "ROLLBACK"}}; }

std::vector<PgCall> ReadSlotCalls(const std::string& slot) {
  return {{.statement = kReadSlotStatement, .parameters = {slot}}};
}

RemoteSlotState SlotOf(const PgReply& reply) {
  const PgRows& rows = reply.rows[0];
  return {.value = SlotAt(rows, 0), .revision = rows.count() == 0 ? 0 : rows.Bigint(0, 3)};
}

std::vector<PgCall> RaiseCalls(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                               std::vector<PgCall> begin) {
  return InTransaction(std::move(begin),
                       {.statement = kRaiseStatement,
                        .parameters = {slot, next.owner, PgBigint(static_cast<int64_t>(next.epoch)),
                                       PgBigint(static_cast<int64_t>(next.seq)), PgBigint(seen.revision)}});
}

absl::StatusOr<bool> RaisedOf(const PgReply& reply) {
  if (!reply.was_sent) return reply.status;
  if (absl::Status unknown = UnknownReason(reply); !unknown.ok()) return unknown;
  if (absl::Status refusal = RefusalOf(reply); !refusal.ok()) return refusal;
  return reply.rows[kWrite].count() > 0;
}

}  // namespace hapax
