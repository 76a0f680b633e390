#include "hapax/storage/remote/group_run.h"

#include <utility>

#include "hapax/storage/format.h"
#include "hapax/storage/remote/granule.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

int64_t RowsIn(const Overlay& overlay) {
  int64_t rows = 0;
  for (const Table table : kAllTables) rows += static_cast<int64_t>(overlay.rows(table).size());
  return rows;
}

}  // namespace

bool GroupRun::Add(RemoteTask& task) {
  const int64_t bytes_before = reads_.bytes();
  DraftTransaction draft(static_cast<const ReadTransaction&>(overlay_));  // Not a copy.
  draft.set_sql(options_.sql);
  Result result;
  result.status = task.body(draft);
  if (result.status.ok()) result.status = draft.refusal();
  result.bytes = reads_.bytes() - bytes_before + draft.writes().bytes();
  result.only_read = draft.writes().empty();
  result.wants_sql = draft.wants_sql();
  const bool wants_too_much =
      reads_.wanted_rows() > options_.max_rows || reads_.wanted_scan_bytes() > options_.max_scan_bytes;
  if (!results_.empty() && wants_too_much) return false;
  if (result.status.ok() && !result.only_read) result.status = options_.write_refusal;
  if (result.status.ok() && !result.only_read) {
    AddGranules(draft.writes());
    if (!Fits(draft.writes())) {
      if (!results_.empty()) return false;
      result.status = StoreError(
          absl::ResourceExhaustedError("the transaction reads or writes more than the store can commit at once"));
    }
  } else if (!results_.empty() && !Fits(Overlay())) {
    return false;
  }
  if (result.status.ok()) {
    result.hooks = std::move(draft.hooks());
    overlay_.writes().Absorb(std::move(draft.writes()));
  }
  results_.push_back(std::move(result));
  return true;
}

bool GroupRun::Fits(const Overlay& more) {
  const Overlay& writes = overlay_.writes();
  if (more.empty() && writes.empty()) return true;  // What only reads compares nothing, or without a group.
  const int64_t count = RowsIn(writes) + RowsIn(more) + static_cast<int64_t>(granules_.size());
  int64_t bytes = writes.bytes() + more.bytes() + reads_.key_bytes();
  for (const RemoteKey& granule : granules_) bytes += static_cast<int64_t>(granule.key.size());
  const RemoteLimits& limits = options_.limits;
  return count <= limits.max_writes && reads_.read_count() <= limits.max_reads && bytes <= limits.max_bytes;
}

bool GroupRun::MayMove(const RemoteKey& key, bool deletes) const {
  const RemoteValue* const seen = reads_.Find(key);
  return seen == nullptr || seen->value.has_value() == deletes;
}

void GroupRun::AddGranules(const Overlay& writes) {
  for (const Table table : kAllTables) {
    for (const auto& [key, value] : writes.rows(table)) {
      if (!MayMove({.table = table, .key = key}, !value.has_value())) continue;
      for (std::string& granule : GranulesOfRow(table, key)) {
        granules_.insert({.kind = RemoteKey::Kind::kGranule, .table = table, .key = std::move(granule)});
      }
    }
  }
}

std::vector<RemoteGroup::Write> GroupRun::Writes() {
  std::vector<RemoteGroup::Write> all;
  const Overlay& writes = overlay_.writes();
  for (const Table table : kAllTables) {
    for (const auto& [key, value] : writes.rows(table))
      all.push_back({.key = {.table = table, .key = key}, .value = value});
  }
  for (const RemoteKey& granule : granules_) all.push_back({.key = granule, .value = ""});
  return all;
}

void GroupRun::NoteApplied(int64_t revision, GuessCache& cache) {
  for (const RemoteGroup::Write& write : Writes()) {
    if (write.key.kind != RemoteKey::Kind::kRow) continue;
    if (revision > 0) {
      cache.Put(write.key, {.revision = revision, .value = write.value});
    } else {
      cache.Erase(write.key);
    }
  }
}

}  // namespace hapax
