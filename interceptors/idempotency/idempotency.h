#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_IDEMPOTENCY_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_IDEMPOTENCY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/base/clock.h"
#include "hapax/base/worker_pool.h"
#include "hapax/interceptors/call_reads.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_time.h"
#include "hapax/interceptors/interceptor.h"
#include "hapax/storage/store.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {

// Makes mutating calls happen once. Words (contract section 1): an attempt is a call that carries a client token. Its
// effect is what the handler changes. The record is the durable row with the token's fingerprint and the reply's bytes.
// A token is unique within (tenant, place).
//
// What an attempt finds, and what follows:
//   free                 the handler runs; its effect and the record are one commit: executed
//   same parameters      the recorded bytes are the reply; the handler does not run: replayed
//   other parameters     IDEMPOTENT_PARAMETER_MISMATCH
//   expired              CLIENT_TOKEN_EXPIRED: its result is not known any more, so the handler does not run again. If
//                        the record still has its reply, a tombstone replaces it before that is told
//   abandoned            CLIENT_TOKEN_ABANDONED: its owner gave it up
// A call without a token makes its effect, and is unprotected. A handler's error leaves no effect, and the token stays
// free.
//
// Concurrent attempts need no lock, since transactions are serializable:
//
//   attempt A                     attempt B
//   looks up: no record
//                                 looks up: no record
//   transaction: no record,
//   effect + record, durable
//                                 transaction: finds A's record, replays
//
// The look-up inside the transaction decides. The earlier one only saves work: it spares a retry slow preparation. It
// runs on the thread that the call arrived on, or on a worker when the record is long.
//
// Methods without a rule go on to the next link.
class Idempotency final : public UnaryInterceptor {
 public:
  // All arguments outlive the interceptor and its calls. `reads` reads the store; `workers` run Method::prepare;
  // `seal_keys` seal replies that hold a secret.
  Idempotency(const TokenPolicy& policy, Store& store, CallReads reads, WorkerPool& workers, const SealKeys& seal_keys,
              const Clock& clock, const TokenTime& token_time);

  void Intercept(UnaryCall& call, Next next) override;

 private:
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;

  void Prepare(AttemptPtr attempt);
  void Execute(AttemptPtr attempt);
  [[nodiscard]] absl::Status RunOnce(Attempt& attempt, Transaction& txn) const;
  [[nodiscard]] absl::Status AnswerFromRecord(Attempt& attempt, const ReadTransaction& txn) const;
  [[nodiscard]] absl::Status Replay(Attempt& attempt, store::v1::TokenRecord record, const ReadTransaction& txn) const;
  [[nodiscard]] absl::Time ExpiresAt(const Attempt& attempt) const;
  [[nodiscard]] absl::Time ForgetAt(const Attempt& attempt) const;
  [[nodiscard]] store::v1::TokenRecord RecordOf(const Attempt& attempt) const;
  [[nodiscard]] static absl::Status RunHandler(Attempt& attempt, Transaction& txn, Outcome outcome);

  const TokenPolicy policy_;
  Store& store_;
  const CallReads reads_;
  WorkerPool& workers_;
  const SealKeys& seal_keys_;
  const Clock& clock_;
  const TokenTime& token_time_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_IDEMPOTENCY_H_
