#ifndef HAPAX_STORAGE_ETCD_MESSAGES_H_
#define HAPAX_STORAGE_ETCD_MESSAGES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hapax/etcd/v3/etcd.pb.h"
#include "hapax/storage/etcd/layout.h"
#include "hapax/storage/remote/backend.h"

// The transactions of RemoteBackend as messages of etcd's.
namespace hapax {

[[nodiscard]] std::string EtcdKeyOf(const EtcdLayout& layout, const RemoteKey& key);

// Reads everything. Its responses are in the order of keys and scans.
[[nodiscard]] etcd::v3::TxnRequest FetchTxn(const EtcdLayout& layout, const RemoteFetch& fetch);
// Errors: INTERNAL, it is not the response to this fetch.
[[nodiscard]] absl::StatusOr<RemoteFetched> FetchedOf(const EtcdLayout& layout, const RemoteFetch& fetch,
                                                      etcd::v3::TxnResponse& response);

// Succeeds if all is unchanged.
[[nodiscard]] etcd::v3::TxnRequest CompareTxn(const EtcdLayout& layout, const std::vector<RemoteRead>& reads);

// Compares slot and reads; then writes, else reads the slot.
[[nodiscard]] etcd::v3::TxnRequest CommitTxn(const EtcdLayout& layout, const RemoteGroup& group);
[[nodiscard]] RemoteCommitted CommittedOf(const etcd::v3::TxnResponse& response);

// What a response that read the slot's key says. Errors: DATA_LOSS, the slot is damaged.
[[nodiscard]] absl::StatusOr<RemoteSlotState> SlotOf(const etcd::v3::TxnResponse& response);

// Reads one key.
[[nodiscard]] etcd::v3::TxnRequest GetTxn(const std::string& etcd_key);
// What the first operation of `response` read; nullopt: the key is absent.
[[nodiscard]] std::optional<etcd::v3::KeyValue> FirstIn(const etcd::v3::TxnResponse& response);

// Puts the key if its mod revision is this one (0: absent); else reads it.
[[nodiscard]] etcd::v3::TxnRequest PutIfTxn(const std::string& etcd_key, int64_t mod_revision, std::string value);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_MESSAGES_H_
