#include "hapax/storage/etcd/backend.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/etcd/messages.h"
#include "hapax/storage/etcd/slot.h"

namespace hapax {
namespace {

// For the look at each member's limits.
constexpr absl::Duration kMemberTimeout = absl::Seconds(2);

class EtcdBackend final : public RemoteBackend {
 public:
  EtcdBackend(std::unique_ptr<EtcdClient> client, EtcdLayout layout, const EtcdLimits& limits)
      : layout_(std::move(layout)), limits_(limits), client_(std::move(client)) {}

  [[nodiscard]] RemoteLimits limits() const override { return GroupLimits(layout_, limits_); }

  void Fetch(RemoteFetch fetch, OnFetched done) override {
    etcd::v3::TxnRequest txn = FetchTxn(layout_, fetch);
    client_->Read(std::move(txn), [this, fetch = std::move(fetch), done = std::move(done)](EtcdReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(FetchedOf(layout_, fetch, reply.response));
    });
  }

  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    client_->Read(CompareTxn(layout_, reads), [done = std::move(done)](EtcdReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(reply.response.succeeded());
    });
  }

  void Commit(RemoteGroup group, OnCommitted done) override {
    client_->Commit(CommitTxn(layout_, group), [done = std::move(done)](EtcdReply reply) mutable {
      if (reply.status.ok()) return std::move(done)(CommittedOf(reply.response));
      std::move(done)(
          {.outcome = reply.had_no_effect ? RemoteCommitted::Outcome::kRefused : RemoteCommitted::Outcome::kUnknown,
           .status = std::move(reply.status)});
    });
  }

  void ReadSlot(const std::string& slot, OnSlotRead done) override {
    client_->Read(GetTxn(layout_.SlotKey(slot)), [done = std::move(done)](EtcdReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(SlotOf(reply.response));
    });
  }

  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    client_->Commit(PutIfTxn(layout_.SlotKey(slot), seen.revision, EncodeSlot(next)),
                    [done = std::move(done)](EtcdReply reply) mutable {
                      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
                      std::move(done)(reply.response.succeeded());
                    });
  }

 private:
  const EtcdLayout layout_;
  const EtcdLimits limits_;
  const std::unique_ptr<EtcdClient> client_;  // Last: its callbacks use the others.
};

// `expected` is the value of the cluster's key.
absl::Status CheckCluster(const std::string& expected, const std::string& id) {
  const std::pair<std::string, std::string> written = absl::StrSplit(expected, absl::MaxSplits(' ', 1));
  if (written.first != id) {
    return absl::FailedPreconditionError(
        absl::StrCat("the rows were written in the etcd cluster ", written.first, ", and this is ", id,
                     ": it was restored from a backup, or the rows were copied. What was told since the backup may be "
                     "lost"));
  }
  if (written.second != EtcdLayout::kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the rows have the layout \"", absl::CHexEscape(written.second),
                                                      "\", and this release has \"", EtcdLayout::kVersion,
                                                      "\": use the release that wrote them"));
  }
  return absl::OkStatus();
}

// Puts the cluster's id with the first start, and compares it with each later one.
absl::Status CheckOrSetUp(EtcdClient& client, const EtcdLayout& layout) {
  EtcdReply read = ReadAndWait(client, GetTxn(layout.ClusterKey()));
  HAPAX_RETURN_IF_ERROR(read.status);
  const std::string id = absl::StrCat(absl::Hex(client.history().cluster_id(), absl::kZeroPad16));
  const std::string value = absl::StrCat(id, " ", EtcdLayout::kVersion);
  std::optional<etcd::v3::KeyValue> row = FirstIn(read.response);
  if (!row.has_value()) {
    const EtcdReply put = CommitAndWait(client, PutIfTxn(layout.ClusterKey(), 0, value));
    HAPAX_RETURN_IF_ERROR(put.status);
    if (put.response.succeeded()) return absl::OkStatus();
    row = FirstIn(put.response);  // Another server was first.
  }
  return CheckCluster(row.has_value() ? row->value() : "", id);
}

// The smallest limits of the members. One that cannot be reached now is left out: what it refuses later is refused as
// too large.
absl::StatusOr<EtcdLimits> LimitsOfAll(const EtcdOptions& options, const EtcdLayout& layout, EtcdClient& client) {
  HAPAX_ASSIGN_OR_RETURN(EtcdLimits smallest, ProbeEtcdLimits(client, layout));
  if (options.endpoints.size() == 1) return smallest;
  for (const std::string& endpoint : options.endpoints) {
    EtcdOptions one = options;
    one.endpoints = {endpoint};
    one.request_timeout = std::min(options.request_timeout, kMemberTimeout);
    HAPAX_ASSIGN_OR_RETURN(const std::unique_ptr<EtcdClient> member, EtcdClient::Create(one));
    const absl::StatusOr<EtcdLimits> limits = ProbeEtcdLimits(*member, layout);
    if (absl::IsUnavailable(limits.status())) continue;
    if (!limits.ok()) {
      return absl::Status(limits.status().code(), absl::StrCat(endpoint, ": ", limits.status().message()));
    }
    if (member->history().cluster_id() != client.history().cluster_id()) {
      return absl::FailedPreconditionError(
          absl::StrCat("etcd_endpoints: ", endpoint, " is a member of another cluster than the others"));
    }
    smallest.max_txn_ops = std::min(smallest.max_txn_ops, limits->max_txn_ops);
    smallest.max_request_bytes = std::min(smallest.max_request_bytes, limits->max_request_bytes);
  }
  return smallest;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenEtcdBackend(const EtcdOptions& options, const std::string& prefix) {
  if (!EtcdLayout::IsPrefix(prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("etcd_prefix=", prefix, ": must begin with \"/\", not end with it, have only letters, digits, ",
                     "\"/\", \"_\", \"-\" and \".\", and at most ", EtcdLayout::kMaxPrefixBytes, " bytes"));
  }
  EtcdLayout layout(prefix);
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<EtcdClient> client, EtcdClient::Create(options));
  HAPAX_RETURN_IF_ERROR(CheckOrSetUp(*client, layout));
  HAPAX_ASSIGN_OR_RETURN(const EtcdLimits limits, LimitsOfAll(options, layout, *client));
  return std::make_unique<EtcdBackend>(std::move(client), std::move(layout), limits);
}

std::unique_ptr<RemoteBackend> MakeEtcdBackend(std::unique_ptr<EtcdClient> client, const std::string& prefix,
                                               const EtcdLimits& limits) {
  return std::make_unique<EtcdBackend>(std::move(client), EtcdLayout(prefix), limits);
}

}  // namespace hapax
