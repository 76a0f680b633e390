#include "hapax/storage/etcd/limits.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/history.h"

namespace hapax {
namespace {

constexpr int kMostTxnOps = 8192;
constexpr int64_t kMostRequestBytes = int64_t{10} << 20;  // More is advised against by etcd's documentation.
// What gRPC takes at a member exceeds --max-request-bytes by this.
constexpr int64_t kGrpcOverheadBytes = 512 << 10;

// What a key takes in a comparison or a put besides its own bytes and the prefix: the kind, the table's name, and the
// message's fields.
constexpr int64_t kBytesPerKey = 48;
// What a group takes besides its keys: the slot, three times, and what etcd adds.
constexpr int64_t kGroupBytes = 4096;
// More would leave fewer bytes for the rows.
constexpr int64_t kMostKeys = 4096;

// A transaction with `comparisons` comparisons of no effect, with a value of so many bytes in the first.
etcd::v3::TxnRequest Probe(const EtcdLayout& layout, int comparisons, int64_t bytes) {
  etcd::v3::TxnRequest probe;
  for (int i = 0; i < comparisons; ++i) {
    etcd::v3::Compare& compare = *probe.add_compare();
    compare.set_key(layout.ClusterKey());
    compare.set_target(etcd::v3::Compare::VALUE);
    compare.set_value(i == 0 ? std::string(static_cast<size_t>(bytes), 'x') : "");
  }
  probe.add_failure()->mutable_request_range()->set_key(layout.ClusterKey());
  return probe;
}

bool IsTooLarge(const absl::Status& status) { return absl::IsResourceExhausted(status); }

absl::StatusOr<int> ProbeTxnOps(EtcdClient& client, const EtcdLayout& layout) {
  for (int operations = kMostTxnOps; operations >= kSmallestEtcdLimits.max_txn_ops; operations /= 2) {
    const absl::Status status = ReadAndWait(client, Probe(layout, operations, 0)).status;
    if (status.ok()) return operations;
    if (!IsTooLarge(status)) return status;
  }
  return absl::FailedPreconditionError(absl::StrCat("etcd takes less than ", kSmallestEtcdLimits.max_txn_ops,
                                                    " operations in a transaction: start its members with "
                                                    "--max-txn-ops=",
                                                    kMostTxnOps));
}

// Of a refusal "... larger than max (<size> vs. <limit>)".
int64_t LimitIn(absl::string_view refusal) {
  constexpr absl::string_view kBefore = " vs. ";
  const size_t at = refusal.rfind(kBefore);
  if (at == absl::string_view::npos) return 0;
  absl::string_view digits = refusal.substr(at + kBefore.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  int64_t limit = 0;
  return absl::SimpleAtoi(digits, &limit) ? limit : 0;
}

absl::StatusOr<int64_t> ProbeRequestBytes(EtcdClient& client, const EtcdLayout& layout) {
  const absl::Status status = ReadAndWait(client, Probe(layout, 1, kMostRequestBytes + kGrpcOverheadBytes)).status;
  if (status.ok()) return kMostRequestBytes;
  if (!IsTooLarge(status)) return status;
  const int64_t limit = LimitIn(absl::string_view(status.message())) - kGrpcOverheadBytes;
  if (limit >= kSmallestEtcdLimits.max_request_bytes) return std::min(limit, kMostRequestBytes);
  return absl::FailedPreconditionError(absl::StrCat(
      "etcd takes requests of ", std::max<int64_t>(limit, 0),
      " bytes: start its members with --max-request-bytes=", kSmallestEtcdLimits.max_request_bytes, " or more"));
}

absl::StatusOr<EtcdLimits> ProbeMember(const std::string& endpoint, const EtcdOptions& options, uint64_t cluster_id,
                                       const EtcdLayout& layout) {
  EtcdOptions own = options;
  own.endpoints = {endpoint};
  own.request_timeout = std::min(options.request_timeout, options.attempt_timeout);
  HAPAX_ASSIGN_OR_RETURN(const std::unique_ptr<EtcdClient> client, EtcdClient::Create(own));
  EtcdLimits limits;
  HAPAX_ASSIGN_OR_RETURN(limits.max_txn_ops, ProbeTxnOps(*client, layout));
  HAPAX_ASSIGN_OR_RETURN(limits.max_request_bytes, ProbeRequestBytes(*client, layout));
  if (const uint64_t found = client->history().cluster_id(); found != cluster_id) {
    return absl::FailedPreconditionError(absl::StrCat("etcd_endpoints: the member is of the cluster ",
                                                      absl::Hex(found, absl::kZeroPad16), ", and another one of ",
                                                      absl::Hex(cluster_id, absl::kZeroPad16)));
  }
  return limits;
}

EtcdLimits Smaller(const EtcdLimits& one, const EtcdLimits& other) {
  return {.max_txn_ops = std::min(one.max_txn_ops, other.max_txn_ops),
          .max_request_bytes = std::min(one.max_request_bytes, other.max_request_bytes)};
}

// A group has one comparison and one put besides its own, those of its slot.
int64_t KeysOfTxn(int txn_ops) { return txn_ops - 1; }

}  // namespace

absl::StatusOr<RemoteLimits> GroupLimitsOf(const EtcdLimits& limits, const EtcdLayout& layout) {
  const int64_t bytes_per_key = kBytesPerKey + static_cast<int64_t>(layout.prefix().size());
  // Reads and writes have as many keys each. With the slot they take half of the bytes at most.
  const int64_t keys_with_room = (limits.max_request_bytes / 2 - kGroupBytes) / (2 * bytes_per_key);
  const int64_t keys = std::min({KeysOfTxn(limits.max_txn_ops), kMostKeys, keys_with_room});
  const int64_t fewest = KeysOfTxn(kSmallestEtcdLimits.max_txn_ops);
  if (keys < fewest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "with an etcd_prefix of ", layout.prefix().size(), " bytes and requests of ", limits.max_request_bytes,
        " bytes a transaction has ", keys, " rows: shorten the prefix, or start etcd's members with ",
        "--max-request-bytes=", 2 * (kGroupBytes + 2 * fewest * bytes_per_key), " or more"));
  }
  return RemoteLimits{.max_reads = keys,
                      .max_writes = keys,
                      .max_bytes = limits.max_request_bytes - kGroupBytes - 2 * keys * bytes_per_key};
}

absl::StatusOr<EtcdLimits> ProbeEtcdLimits(const EtcdOptions& options, uint64_t cluster_id, const EtcdLayout& layout) {
  absl::Status unavailable = absl::UnavailableError("etcd has no members");
  EtcdLimits smallest;
  bool one_answered = false;
  for (const std::string& endpoint : options.endpoints) {
    const absl::StatusOr<EtcdLimits> limits = ProbeMember(endpoint, options, cluster_id, layout);
    if (absl::IsUnavailable(limits.status())) {
      unavailable = limits.status();
      continue;
    }
    if (!limits.ok()) {
      return absl::Status(limits.status().code(), absl::StrCat(endpoint, ": ", limits.status().message()));
    }
    smallest = one_answered ? Smaller(smallest, *limits) : *limits;
    one_answered = true;
  }
  if (!one_answered) return unavailable;
  return smallest;
}

}  // namespace hapax
