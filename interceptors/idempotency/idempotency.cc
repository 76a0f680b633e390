#include "hapax/interceptors/idempotency/idempotency.h"

#include <algorithm>
#include <any>
#include <optional>
#include <utility>

#include "hapax/base/check.h"
#include "hapax/base/contain.h"
#include "hapax/base/message_check.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/execute.h"
#include "hapax/interceptors/given_up.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/interceptors/idempotency/resolved_fields.h"
#include "hapax/interceptors/idempotency/stored_reply.h"
#include "hapax/interceptors/idempotency/token_finding.h"
#include "hapax/interceptors/idempotency/token_quota.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/interceptors/reply_room.h"

namespace hapax {
namespace {

// Nullopt: the call has no token.
std::optional<TokenKey> KeyOf(const CallContext& context) {
  if (context.client_token.empty()) return std::nullopt;
  return TokenKey{.tenant = context.tenant,
                  .region = context.place.region,
                  .zone = context.place.zone,
                  .token = context.client_token};
}

}  // namespace

// The state of a mutating call, shared by the callbacks that handle it.
struct Idempotency::Attempt {
  explicit Attempt(UnaryCall& its_call) : call(its_call) {}

  void Finish(absl::Status status) {
    if (!status.ok()) {
      call.Finish(ToRefusal(std::move(status)));
      return;
    }
    call.outcome = outcome;
    call.Finish(std::move(reply));
  }

  // Runs code of the service, such as its canonicalizer, which may throw.
  template <typename F>
  [[nodiscard]] absl::Status Contained(F&& part) const {
    return Contain(call.method().name, std::forward<F>(part));
  }

  UnaryCall& call;
  absl::Time token_time;               // The start of its record's life.
  std::optional<TokenKey> key;         // Nullopt: the call has no token.
  store::v1::Fingerprint fingerprint;  // Set when the first look-up found the token free.
  std::any prepared;                   // The result of Method::prepare.
  // The defaults that the handler recorded in the last run of the body.
  std::unique_ptr<google::protobuf::Message> defaults;
  std::optional<Outcome> outcome;  // Nullopt until it is answered.
  bool is_expiring = false;        // Whether the last look-up found that its record expires.
  std::string reply;               // Set with the outcome.
};

Idempotency::Idempotency(const TokenPolicy& policy, Store& store, CallReads reads, WorkerPool& workers,
                         const SealKeys& seal_keys, const Clock& clock, const TokenTime& token_time)
    : policy_(policy),
      store_(store),
      reads_(reads),
      workers_(workers),
      seal_keys_(seal_keys),
      clock_(clock),
      token_time_(token_time) {}

void Idempotency::Intercept(UnaryCall& call, Next next) {
  if (!call.method().rule.has_value()) return next(call);
  auto attempt = std::make_shared<Attempt>(call);
  attempt->token_time = token_time_.ForLife(call.context.now);
  attempt->key = KeyOf(call.context);
  if (!attempt->key.has_value()) return Prepare(attempt);

  reads_.Query(
      call,
      [this, attempt](const ReadTransaction& txn) {
        return attempt->Contained([&] { return AnswerFromRecord(*attempt, txn); });
      },
      [this, attempt](absl::Status status) {
        if (!status.ok() || attempt->outcome.has_value()) return attempt->Finish(std::move(status));
        status = attempt->Contained([&] {
          attempt->fingerprint =
              MakeFingerprint(attempt->call.method(), *attempt->call.request, attempt->call.request_bytes());
        });
        if (!status.ok()) return attempt->Finish(std::move(status));
        Prepare(attempt);
      });
}

// Runs the method's slow work, if any, on a worker, then executes.
void Idempotency::Prepare(AttemptPtr attempt) {
  if (attempt->call.method().prepare == nullptr) return Execute(std::move(attempt));
  WorkerPool::Work work = [this, attempt] {
    const UnaryCall& call = attempt->call;
    absl::StatusOr<std::any> prepared = call.method().prepare(call.context, *call.request);
    if (!prepared.ok()) return attempt->Finish(HandlersError(prepared.status()));
    attempt->prepared = *std::move(prepared);
    Execute(attempt);
  };
  if (!workers_.TrySchedule(work, attempt->call.context.tenant)) {
    attempt->Finish(Refuse(Reason::kOverloaded, "too many calls are waiting to be prepared"));
  }
}

void Idempotency::Execute(AttemptPtr attempt) {
  ExecuteFor(
      attempt->call, store_,
      [this, attempt](Transaction& txn) { return attempt->Contained([&] { return RunOnce(*attempt, txn); }); },
      [attempt](absl::Status status) {
        if (status.ok() && attempt->is_expiring) status = RefuseExpired();
        attempt->Finish(std::move(status));
      });
}

// The exactly-once core, within one serializable transaction: it answers from the record, or makes effect and record
// together.
absl::Status Idempotency::RunOnce(Attempt& attempt, Transaction& txn) const {
  HAPAX_RETURN_IF_ERROR(RefuseIfGivenUp(attempt.call, clock_.Now()));
  HAPAX_RETURN_IF_ERROR(RefuseWithoutReplyRoom(attempt.call));
  if (!attempt.key.has_value()) return RunHandler(attempt, txn, Outcome::kUnprotected);

  HAPAX_RETURN_IF_ERROR(AnswerFromRecord(attempt, txn));
  if (attempt.outcome.has_value()) return absl::OkStatus();
  if (attempt.is_expiring) return PutTombstone(txn, *attempt.key);
  HAPAX_RETURN_IF_ERROR(CountToken(policy_, attempt.key->tenant, ForgetAt(attempt), attempt.token_time, txn));
  HAPAX_RETURN_IF_ERROR(RunHandler(attempt, txn, Outcome::kExecuted));
  const store::v1::TokenRecord record = RecordOf(attempt);
  if (policy_.max_tokens_per_tenant > 0 || policy_.max_token_bytes_per_tenant > 0) {
    const TokenBytes bytes = {
        .bytes = static_cast<int64_t>(EncodeTokenKey(*attempt.key).size() + record.ByteSizeLong()),
        .expires_at = ExpiresAt(attempt),
        .forget_at = ForgetAt(attempt)};
    HAPAX_RETURN_IF_ERROR(CountTokenBytes(policy_, attempt.key->tenant, bytes, attempt.token_time, txn));
  }
  PutToken(txn, *attempt.key, record);
  return absl::OkStatus();
}

// Answers the attempt from its token's record. Leaves it unanswered when the token is free, and when its record
// expires: that is told once it is written.
absl::Status Idempotency::AnswerFromRecord(Attempt& attempt, const ReadTransaction& txn) const {
  attempt.outcome.reset();
  attempt.is_expiring = false;
  HAPAX_ASSIGN_OR_RETURN(TokenFinding found, LookUp(txn, *attempt.key, attempt.call, policy_, token_time_));
  switch (found.finding) {
    case Finding::kFree:
      return absl::OkStatus();
    case Finding::kSameParameters:
      return Replay(attempt, std::move(found.record), txn);
    case Finding::kOtherParameters:
      return RefuseMismatch(found, attempt.call);
    case Finding::kExpiring:
      attempt.is_expiring = true;
      return absl::OkStatus();
    case Finding::kExpired:
      return RefuseExpired();
    case Finding::kTooNew:
      return RefuseTooNew();
    case Finding::kAbandoned:
      return RefuseAbandoned();
  }
  HAPAX_CHECK(false, "a Finding is one of its values");
}

absl::Status Idempotency::Replay(Attempt& attempt, store::v1::TokenRecord record, const ReadTransaction& txn) const {
  const Method& method = attempt.call.method();
  HAPAX_ASSIGN_OR_RETURN(attempt.reply, ReadReply(seal_keys_, *attempt.key, std::move(record)));
  if (method.refresh != nullptr) {
    HAPAX_ASSIGN_OR_RETURN(attempt.reply, method.refresh(attempt.call.context, txn, std::move(attempt.reply)));
  }
  attempt.outcome = Outcome::kReplayed;
  return absl::OkStatus();
}

absl::Time Idempotency::ExpiresAt(const Attempt& attempt) const {
  return attempt.token_time + policy_.RetentionOf(*attempt.call.method().rule);
}

absl::Time Idempotency::ForgetAt(const Attempt& attempt) const {
  const absl::Time forget_at = ExpiresAt(attempt) + policy_.tombstone_retention;
  const std::optional<absl::Time> made = TimeOfToken(attempt.key->token);
  // A token that states its time is remembered until every method refuses it for its age.
  return made.has_value() ? std::max(forget_at, *made + policy_.longest_retention) : forget_at;
}

// The record of an executed attempt.
store::v1::TokenRecord Idempotency::RecordOf(const Attempt& attempt) const {
  store::v1::TokenRecord record;
  record.set_method(attempt.call.method().name);
  *record.mutable_fingerprint() = attempt.fingerprint;
  AddResolvedFields(attempt.call.method(), *attempt.call.request, *attempt.defaults, record.mutable_fingerprint());
  *record.mutable_executed_at() = ToTimestamp(attempt.call.context.now);
  *record.mutable_expires_at() = ToTimestamp(ExpiresAt(attempt));
  *record.mutable_forget_at() = ToTimestamp(ForgetAt(attempt));
  StoreReply(*attempt.call.method().rule, seal_keys_, *attempt.key, attempt.reply, record);
  return record;
}

// Makes the effect, and serializes the reply once: the same bytes are sent and recorded.
absl::Status Idempotency::RunHandler(Attempt& attempt, Transaction& txn, Outcome outcome) {
  const Method& method = attempt.call.method();
  const std::unique_ptr<google::protobuf::Message> reply(method.reply->New());
  CallContext& context = attempt.call.context;
  if (attempt.key.has_value()) attempt.defaults.reset(method.request->New());
  context.recorded_defaults = attempt.defaults.get();
  HAPAX_RETURN_IF_ERROR(
      HandlersError(method.mutate(context, txn, *attempt.call.request, attempt.prepared, reply.get())));
  HAPAX_ASSIGN_OR_RETURN(attempt.reply, Serialize(*reply));
  attempt.outcome = outcome;
  return absl::OkStatus();
}

}  // namespace hapax
