#include "hapax/storage/etcd/messages.h"

#include <utility>

#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/slot.h"

namespace hapax {
namespace {

using etcd::v3::RangeResponse;
using etcd::v3::TxnRequest;
using etcd::v3::TxnResponse;

constexpr char kNoResponse[] = "etcd's answer has not what was asked for";

void CompareRevision(const std::string& etcd_key, int64_t revision, TxnRequest& txn) {
  etcd::v3::Compare& compare = *txn.add_compare();
  compare.set_key(etcd_key);
  compare.set_target(etcd::v3::Compare::MOD);
  compare.set_mod_revision(revision);
}

// The response to an operation that reads.
absl::StatusOr<RangeResponse*> RangeAt(int number, TxnResponse& response) {
  if (number >= response.responses_size() || !response.responses(number).has_response_range()) {
    return absl::InternalError(kNoResponse);
  }
  return response.mutable_responses(number)->mutable_response_range();
}

RemoteValue ValueOf(RangeResponse& range) {
  if (range.kvs_size() == 0) return {};
  etcd::v3::KeyValue& row = *range.mutable_kvs(0);
  return {.revision = row.mod_revision(), .value = std::move(*row.mutable_value())};
}

std::string ScanEnd(const EtcdLayout& layout, const RemoteFetch::Scan& scan) {
  return scan.range.end.empty() ? layout.RowsEnd(scan.table) : layout.RowKey(scan.table, scan.range.end);
}

absl::StatusOr<RemoteFetched::Rows> RowsOf(const EtcdLayout& layout, Table table, RangeResponse& range) {
  RemoteFetched::Rows rows{.has_more = range.more()};
  rows.rows.reserve(range.kvs_size());
  for (etcd::v3::KeyValue& row : *range.mutable_kvs()) {
    HAPAX_ASSIGN_OR_RETURN(const std::string_view key, layout.KeyOfRow(table, row.key()));
    rows.rows.push_back(
        {.key = std::string(key), .value = {.revision = row.mod_revision(), .value = std::move(*row.mutable_value())}});
  }
  return rows;
}

}  // namespace

std::string EtcdKeyOf(const EtcdLayout& layout, const RemoteKey& key) {
  switch (key.kind) {
    case RemoteKey::Kind::kRow:
      return layout.RowKey(key.table, key.key);
    case RemoteKey::Kind::kGranule:
      return layout.GranuleKey(key.table, key.key);
  }
  return "";
}

TxnRequest FetchTxn(const EtcdLayout& layout, const RemoteFetch& fetch) {
  TxnRequest txn;
  for (const RemoteKey& key : fetch.keys) {
    txn.add_success()->mutable_request_range()->set_key(EtcdKeyOf(layout, key));
  }
  for (const RemoteFetch::Scan& scan : fetch.scans) {
    etcd::v3::RangeRequest& range = *txn.add_success()->mutable_request_range();
    range.set_key(layout.RowKey(scan.table, scan.range.begin));
    range.set_range_end(ScanEnd(layout, scan));
    range.set_limit(scan.max_rows);
  }
  // A transaction without an operation is not read linearizably.
  if (txn.success_size() == 0) txn.add_success()->mutable_request_range()->set_key(layout.ClusterKey());
  return txn;
}

absl::StatusOr<RemoteFetched> FetchedOf(const EtcdLayout& layout, const RemoteFetch& fetch, TxnResponse& response) {
  RemoteFetched fetched;
  int next = 0;
  for (size_t i = 0; i < fetch.keys.size(); ++i) {
    HAPAX_ASSIGN_OR_RETURN(RangeResponse* const range, RangeAt(next++, response));
    fetched.values.push_back(ValueOf(*range));
  }
  for (const RemoteFetch::Scan& scan : fetch.scans) {
    HAPAX_ASSIGN_OR_RETURN(RangeResponse* const range, RangeAt(next++, response));
    HAPAX_ASSIGN_OR_RETURN(RemoteFetched::Rows rows, RowsOf(layout, scan.table, *range));
    fetched.scans.push_back(std::move(rows));
  }
  return fetched;
}

TxnRequest CompareTxn(const EtcdLayout& layout, const std::vector<RemoteRead>& reads) {
  TxnRequest txn;
  for (const RemoteRead& read : reads) CompareRevision(EtcdKeyOf(layout, read.key), read.revision, txn);
  txn.add_success()->mutable_request_range()->set_key(layout.ClusterKey());
  return txn;
}

TxnRequest CommitTxn(const EtcdLayout& layout, const RemoteGroup& group) {
  TxnRequest txn;
  const std::string slot = layout.SlotKey(group.slot);
  etcd::v3::Compare& compare = *txn.add_compare();
  compare.set_key(slot);
  compare.set_target(etcd::v3::Compare::VALUE);
  compare.set_value(EncodeSlot(group.before));
  for (const RemoteRead& read : group.reads) {
    CompareRevision(EtcdKeyOf(layout, read.key), read.revision, txn);
  }

  RemoteSlot after = group.before;
  ++after.seq;
  etcd::v3::PutRequest& put_slot = *txn.add_success()->mutable_request_put();
  put_slot.set_key(slot);
  put_slot.set_value(EncodeSlot(after));
  for (const RemoteGroup::Write& write : group.writes) {
    if (write.value.has_value()) {
      etcd::v3::PutRequest& put = *txn.add_success()->mutable_request_put();
      put.set_key(EtcdKeyOf(layout, write.key));
      put.set_value(*write.value);
    } else {
      txn.add_success()->mutable_request_delete_range()->set_key(EtcdKeyOf(layout, write.key));
    }
  }

  txn.add_failure()->mutable_request_range()->set_key(slot);
  return txn;
}

RemoteCommitted CommittedOf(const TxnResponse& response) {
  using Outcome = RemoteCommitted::Outcome;
  if (response.succeeded()) return {.outcome = Outcome::kApplied, .revision = response.header().revision()};
  absl::StatusOr<RemoteSlotState> slot = SlotOf(response);
  if (!slot.ok()) return {.outcome = Outcome::kUnknown, .status = std::move(slot).status()};
  return {.outcome = Outcome::kNotApplied, .slot = std::move(slot->value)};
}

absl::StatusOr<RemoteSlotState> SlotOf(const TxnResponse& response) {
  const std::optional<etcd::v3::KeyValue> row = FirstIn(response);
  if (!row.has_value()) return RemoteSlotState();
  HAPAX_ASSIGN_OR_RETURN(RemoteSlot slot, DecodeSlot(row->value()));
  return RemoteSlotState{.value = std::move(slot), .revision = row->mod_revision()};
}

TxnRequest GetTxn(const std::string& etcd_key) {
  TxnRequest txn;
  txn.add_success()->mutable_request_range()->set_key(etcd_key);
  return txn;
}

std::optional<etcd::v3::KeyValue> FirstIn(const TxnResponse& response) {
  if (response.responses_size() == 0) return std::nullopt;
  const RangeResponse& range = response.responses(0).response_range();
  if (range.kvs_size() == 0) return std::nullopt;
  return range.kvs(0);
}

TxnRequest PutIfTxn(const std::string& etcd_key, int64_t mod_revision, std::string value) {
  TxnRequest txn;
  CompareRevision(etcd_key, mod_revision, txn);
  etcd::v3::PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key(etcd_key);
  put.set_value(std::move(value));
  txn.add_failure()->mutable_request_range()->set_key(etcd_key);
  return txn;
}

}  // namespace hapax
