#include "hapax/storage/etcd/backend.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/history.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/etcd/messages.h"
#include "hapax/storage/etcd/set_up.h"
#include "hapax/storage/etcd/slot.h"

namespace hapax {
namespace {

class EtcdBackend final : public RemoteBackend {
 public:
  EtcdBackend(std::unique_ptr<EtcdClient> client, EtcdLayout layout, const RemoteLimits& limits)
      : layout_(std::move(layout)), limits_(limits), client_(std::move(client)) {}

  [[nodiscard]] RemoteLimits limits() const override { return limits_; }

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
  const RemoteLimits limits_;
  const std::unique_ptr<EtcdClient> client_;  // Last: its callbacks use the others.
};

absl::StatusOr<std::unique_ptr<RemoteBackend>> Make(std::unique_ptr<EtcdClient> client, EtcdLayout layout,
                                                    const EtcdLimits& limits) {
  HAPAX_ASSIGN_OR_RETURN(const RemoteLimits group, GroupLimitsOf(limits, layout));
  return std::make_unique<EtcdBackend>(std::move(client), std::move(layout), group);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenEtcdBackend(const EtcdOptions& options, const std::string& prefix) {
  if (!EtcdLayout::IsPrefix(prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("etcd_prefix=", prefix,
                     ": must begin with \"/\", not end with it, have only letters, digits, \"/\", \"_\", \"-\" and "
                     "\".\", and be not longer than ",
                     EtcdLayout::kMaxPrefixBytes, " bytes"));
  }
  EtcdLayout layout(prefix);
  HAPAX_ASSIGN_OR_RETURN(std::unique_ptr<EtcdClient> client, EtcdClient::Create(options));
  HAPAX_RETURN_IF_ERROR(CheckOrSetUp(*client, layout));
  HAPAX_ASSIGN_OR_RETURN(const EtcdLimits limits, ProbeEtcdLimits(options, client->history().cluster_id(), layout));
  return Make(std::move(client), std::move(layout), limits);
}

absl::StatusOr<std::unique_ptr<RemoteBackend>> MakeEtcdBackend(std::unique_ptr<EtcdClient> client,
                                                               const std::string& prefix, const EtcdLimits& limits) {
  return Make(std::move(client), EtcdLayout(prefix), limits);
}

}  // namespace hapax
