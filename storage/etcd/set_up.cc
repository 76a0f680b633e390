#include "hapax/storage/etcd/set_up.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/history.h"

namespace hapax {
namespace {

using etcd::v3::TxnResponse;

// Then the members, or the way to them, are of no use.
constexpr int kMaxLostAnswers = 5;

// What the two keys have; nullopt: absent.
struct Marks {
  std::optional<std::string> cluster;
  std::optional<std::string> layout;
};

std::vector<std::string> KeysOf(const EtcdLayout& layout) { return {layout.ClusterKey(), layout.LayoutKey()}; }

etcd::v3::TxnRequest ReadTxn(const EtcdLayout& layout) {
  etcd::v3::TxnRequest txn;
  for (const std::string& key : KeysOf(layout)) txn.add_success()->mutable_request_range()->set_key(key);
  return txn;
}

// Puts both if both are absent.
etcd::v3::TxnRequest SetUpTxn(const EtcdLayout& layout, const std::string& cluster, const std::string& mark) {
  etcd::v3::TxnRequest txn;
  for (const std::string& key : KeysOf(layout)) {
    etcd::v3::Compare& compare = *txn.add_compare();
    compare.set_key(key);
    compare.set_target(etcd::v3::Compare::MOD);
    compare.set_mod_revision(0);
    etcd::v3::PutRequest& put = *txn.add_success()->mutable_request_put();
    put.set_key(key);
    put.set_value(key == layout.ClusterKey() ? cluster : mark);
  }
  return txn;
}

Marks MarksIn(const TxnResponse& response) {
  const auto value = [&](int number) -> std::optional<std::string> {
    if (number >= response.responses_size()) return std::nullopt;
    const etcd::v3::RangeResponse& range = response.responses(number).response_range();
    return range.kvs_size() == 0 ? std::nullopt : std::optional(range.kvs(0).value());
  };
  return {.cluster = value(0), .layout = value(1)};
}

absl::Status CheckCluster(const std::string& expected, const std::string& found) {
  if (expected == found) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the rows were written in the etcd cluster ", expected, ", and this is ", found,
                   ": it was restored from a backup, or the rows were copied. What was told since the backup may be "
                   "lost"));
}

absl::Status CheckLayout(const EtcdLayout& layout, const std::string& mark) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(mark, absl::MaxSplits(' ', 1));
  if (parts.first == absl::StrCat(EtcdLayout::kVersion)) return absl::OkStatus();
  const absl::string_view release =
      parts.second.empty() ? absl::string_view("the release that wrote them") : parts.second;
  return absl::FailedPreconditionError(absl::StrCat(
      "the rows below etcd_prefix=", layout.prefix(), " have layout \"", parts.first, "\", and Hapax ", HAPAX_VERSION,
      " has layout ", EtcdLayout::kVersion, ": use ", release, ", or another prefix without rows"));
}

}  // namespace

absl::Status CheckOrSetUp(EtcdClient& client, const EtcdLayout& layout) {
  for (int lost_answers = 0;;) {
    const EtcdReply read = ReadAndWait(client, ReadTxn(layout));
    HAPAX_RETURN_IF_ERROR(read.status);
    const std::string id = absl::StrCat(absl::Hex(client.history().cluster_id(), absl::kZeroPad16));
    const Marks marks = MarksIn(read.response);
    if (marks.cluster.has_value() || marks.layout.has_value()) {
      HAPAX_RETURN_IF_ERROR(CheckLayout(layout, marks.layout.value_or("")));
      return CheckCluster(marks.cluster.value_or(""), id);
    }
    const std::string mark = absl::StrCat(EtcdLayout::kVersion, " Hapax ", HAPAX_VERSION);
    const EtcdReply put = CommitAndWait(client, SetUpTxn(layout, id, mark));
    // Whoever was the first to put them, they are read again. Without an answer they may be absent still.
    if (put.status.ok() || (absl::IsUnavailable(put.status) && ++lost_answers < kMaxLostAnswers)) continue;
    return put.status;
  }
}

}  // namespace hapax
