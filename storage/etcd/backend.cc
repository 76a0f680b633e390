#include "hapax/storage/etcd/backend.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/etcd/messages.h"
#include "hapax/storage/etcd/slot.h"

namespace hapax {
namespace {

class EtcdBackend final : public RemoteBackend {
 public:
  EtcdBackend(std::unique_ptr<EtcdClient> client, EtcdLayout layout, const EtcdLimits& limits)
      : layout_(std::move(layout)), limits_(limits), client_(std::move(client)) {}

  // One comparison and one put are the slot's. Each key takes some bytes more than its own.
  [[nodiscard]] RemoteLimits limits() const override {
    const int64_t keys = std::min<int64_t>(limits_.max_txn_ops - 1, kMostKeys);
    const int64_t bytes_per_key = kBytesPerKey + static_cast<int64_t>(layout_.prefix().size());
    return {.max_reads = keys, .max_writes = keys, .max_bytes = limits_.max_request_bytes - 2 * keys * bytes_per_key};
  }

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
  // What a key takes in a comparison or a put besides its own bytes: the kind, the table's name, and the message.
  static constexpr int64_t kBytesPerKey = 48;
  // More would leave fewer bytes for the rows.
  static constexpr int64_t kMostKeys = 4096;

  const EtcdLayout layout_;
  const EtcdLimits limits_;
  const std::unique_ptr<EtcdClient> client_;  // Last: its callbacks use the others.
};

absl::Status CheckCluster(const std::string& expected, const std::string& found) {
  if (expected == found) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the rows were written in the etcd cluster ", expected, ", and this is ", found,
                   ": it was restored from a backup, or the rows were copied. What was told since the backup may be "
                   "lost"));
}

// Puts the cluster's id with the first start, and compares it with each later one.
absl::Status CheckOrSetUp(EtcdClient& client, const EtcdLayout& layout) {
  EtcdReply read = ReadAndWait(client, GetTxn(layout.ClusterKey()));
  HAPAX_RETURN_IF_ERROR(read.status);
  const std::string id = absl::StrCat(absl::Hex(client.history().cluster_id(), absl::kZeroPad16));
  std::optional<etcd::v3::KeyValue> row = FirstIn(read.response);
  if (!row.has_value()) {
    const EtcdReply put = CommitAndWait(client, PutIfTxn(layout.ClusterKey(), 0, id));
    HAPAX_RETURN_IF_ERROR(put.status);
    if (put.response.succeeded()) return absl::OkStatus();
    row = FirstIn(put.response);  // Another server was first.
  }
  return CheckCluster(row.has_value() ? row->value() : "", id);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenEtcdBackend(const EtcdOptions& options, const std::string& prefix) {
  if (!EtcdLayout::IsPrefix(prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("etcd_prefix=", prefix,
                     ": must begin with \"/\", not end with it, and have only letters, digits, "
                     "\"/\", \"_\", \"-\" and \".\""));
  }
  EtcdLayout layout(prefix);
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<EtcdClient> client, EtcdClient::Create(options));
  HAPAX_RETURN_IF_ERROR(CheckOrSetUp(*client, layout));
  HAPAX_ASSIGN_OR_RETURN(const EtcdLimits limits, ProbeEtcdLimits(*client, layout));
  return std::make_unique<EtcdBackend>(std::move(client), std::move(layout), limits);
}

std::unique_ptr<RemoteBackend> MakeEtcdBackend(std::unique_ptr<EtcdClient> client, const std::string& prefix,
                                               const EtcdLimits& limits) {
  return std::make_unique<EtcdBackend>(std::move(client), EtcdLayout(prefix), limits);
}

}  // namespace hapax
