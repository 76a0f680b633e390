#ifndef HAPAX_STORAGE_ETCD_CLIENT_H_
#define HAPAX_STORAGE_ETCD_CLIENT_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/etcd/v3/etcd.pb.h"
#include "hapax/storage/etcd/options.h"

namespace hapax {

class EtcdHistory;

// The end of a request.
struct EtcdReply {
  absl::Status status;
  // With an error: whether the request surely changed nothing, and never will. Otherwise nobody knows: it may have been
  // applied, and may still be.
  bool had_no_effect = false;
  etcd::v3::TxnResponse response;  // With OK.
};

// Transactions of an etcd cluster, asynchronous.
//
//   client.Read(request, [](EtcdReply reply) { ... });
//
// Requests go to one member until it fails, then to the next. Each answer is checked against those before (history.h).
// The token of a user's authentication is fetched when it is needed, and again when a member refuses it.
//
// Thread-safety: safe. No function blocks. `done` runs once, on a thread of gRPC's that it must not block, or on the
// caller's when the request is refused at once; it may start further requests.
// Lifetime: the destructor cancels what is unfinished, and returns when every `done` has. Not to be destroyed by
// `done`.
//
// Errors: those of EtcdError (error.h). FAILED_PRECONDITION, the cluster was restored or is another one.
// UNAVAILABLE, too many requests are unfinished.
class EtcdClient {
 public:
  using Done = absl::AnyInvocable<void(EtcdReply) &&>;

  // Connects when there is a first request.
  // Errors: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED: the options, or the files that they name, are wrong.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<EtcdClient>> Create(const EtcdOptions& options);

  virtual ~EtcdClient() = default;

  // Sends a transaction that changes nothing. It is tried again at other members for `request_timeout`. Like that of
  // Commit it has an operation, if only one that reads: etcd answers comparisons alone from a state that may be old.
  virtual void Read(etcd::v3::TxnRequest request, Done done) = 0;

  // Sends a transaction. It is sent again only if a member refused to begin with it.
  virtual void Commit(etcd::v3::TxnRequest request, Done done) = 0;

  [[nodiscard]] virtual const EtcdHistory& history() const = 0;
};

// Like Read and Commit, but wait for the reply: for the start, and for tests.
[[nodiscard]] EtcdReply ReadAndWait(EtcdClient& client, etcd::v3::TxnRequest request);
[[nodiscard]] EtcdReply CommitAndWait(EtcdClient& client, etcd::v3::TxnRequest request);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_CLIENT_H_
