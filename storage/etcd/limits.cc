#include "hapax/storage/etcd/limits.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

constexpr int kMostTxnOps = 8192;
constexpr int64_t kMostRequestBytes = int64_t{10} << 20;  // More is advised against by etcd's documentation.
// What gRPC takes at a member exceeds --max-request-bytes by this.
constexpr int64_t kGrpcOverheadBytes = 512 << 10;

// What a key takes in a comparison or a put besides its own bytes and the prefix: the kind, the table's name, and the
// message.
constexpr int64_t kBytesPerKey = 48;
constexpr int64_t kMostKeys = 4096;
// The comparison and the put of the slot, and what etcd adds to the request.
constexpr int64_t kSlotBytes = 4096;

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

bool IsTooLarge(const absl::Status& status) { return status.code() == absl::StatusCode::kInvalidArgument; }

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

}  // namespace

RemoteLimits GroupLimits(const EtcdLayout& layout, const EtcdLimits& limits) {
  const int64_t bytes = limits.max_request_bytes - kSlotBytes;
  // Each key may be both read and written.
  const int64_t bytes_per_key = 2 * (kBytesPerKey + static_cast<int64_t>(layout.prefix().size()));
  // One operation is the slot's.
  const int64_t keys = std::min({int64_t{limits.max_txn_ops} - 1, kMostKeys, bytes / 2 / bytes_per_key});
  return {.max_reads = keys, .max_writes = keys, .max_bytes = bytes - keys * bytes_per_key};
}

absl::StatusOr<EtcdLimits> ProbeEtcdLimits(EtcdClient& client, const EtcdLayout& layout) {
  EtcdLimits limits;
  HAPAX_ASSIGN_OR_RETURN(limits.max_txn_ops, ProbeTxnOps(client, layout));
  HAPAX_ASSIGN_OR_RETURN(limits.max_request_bytes, ProbeRequestBytes(client, layout));
  return limits;
}

}  // namespace hapax
