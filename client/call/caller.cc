#include "hapax/client/call/caller.h"

#include <algorithm>
#include <list>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/client/call/client_token.h"
#include "hapax/proto/public_name.h"
#include "hapax/proto/token_field.h"

namespace hapax::client {
namespace {

constexpr char kTokenMetadata[] = "x-client-token";
constexpr char kOutcomeMetadata[] = "hapax-outcome";

Outcome OutcomeOf(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (key != kOutcomeMetadata) continue;
    for (const Outcome outcome : {Outcome::kExecuted, Outcome::kReplayed, Outcome::kUnprotected}) {
      if (value == OutcomeName(outcome)) return outcome;
    }
  }
  return Outcome::kUnknown;
}

// The ends of one call's attempts that the call has not looked at yet. Shared with the attempts, which may end when the
// call is over.
struct Ends {
  absl::Mutex mu;
  std::list<AttemptEnd> waiting ABSL_GUARDED_BY(mu);
};

// One call on its way through its attempts.
class CallInProgress {
 public:
  CallInProgress(const RawCall& call, const RetryPolicy& policy, Connection& connection, Timing& timing,
                 RetryBudget& budget)
      : call_(call), policy_(policy), connection_(connection), timing_(timing), budget_(budget) {
    result_.info.token = call.token;
  }

  Result<std::string> Run() {
    next_start_ = timing_.Now();
    deadline_ = next_start_ + policy_.timeout;
    while (!over_) {
      // What has ended goes first: a reply that is there is not passed over because the time has come for something.
      if (std::optional<AttemptEnd> end = AwaitEnd(std::min(next_start_, deadline_))) {
        Judge(*std::move(end));
      } else if (timing_.Now() >= deadline_) {
        GiveUp();
      } else if (timing_.Now() >= next_start_) {
        StartIfAffordable();
      }
    }
    for (Connection::Cancel& cancel : cancels_) cancel();
    return std::move(result_);
  }

 private:
  // The first attempt is free, a retry was paid for when it was decided on, and one beside others is paid for here.
  void StartIfAffordable() {
    if (open_ == 0 || budget_.TryTake()) return Start();
    next_start_ = absl::InfiniteFuture();
  }

  void Start() {
    const absl::Time now = timing_.Now();
    Attempt attempt{.method = call_.method,
                    .request = call_.request,
                    .metadata = {},
                    .deadline = std::min(deadline_, now + policy_.attempt_timeout)};
    if (!call_.token.empty() && !call_.token_in_request) attempt.metadata.emplace_back(kTokenMetadata, call_.token);
    ++result_.info.attempts;
    ++open_;
    const bool hedge = call_.retryable && result_.info.attempts < policy_.max_attempts;
    next_start_ = hedge ? now + policy_.hedge_delay : absl::InfiniteFuture();
    cancels_.push_back(connection_.Start(std::move(attempt), [ends = ends_](AttemptEnd end) {
      absl::MutexLock lock(&ends->mu);
      ends->waiting.push_back(std::move(end));
    }));
  }

  // Of several ends a reply comes first.
  std::optional<AttemptEnd> AwaitEnd(absl::Time until) {
    Ends& ends = *ends_;
    const auto any = [&ends]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(ends.mu) { return !ends.waiting.empty(); };
    absl::MutexLock lock(&ends.mu);
    if (!timing_.Await(ends.mu, absl::Condition(&any), until)) return std::nullopt;
    auto chosen =
        std::find_if(ends.waiting.begin(), ends.waiting.end(), [](const auto& end) { return end.status.ok(); });
    if (chosen == ends.waiting.end()) chosen = ends.waiting.begin();
    AttemptEnd end = std::move(*chosen);
    ends.waiting.erase(chosen);
    return end;
  }

  void Judge(AttemptEnd end) {
    --open_;
    if (end.status.ok()) {
      budget_.OnSuccess();
      result_.info.outcome = OutcomeOf(end.metadata);
      result_.info.verdict = Verdict::kUnsaid;
      if (result_.info.outcome == Outcome::kUnprotected && !call_.token.empty()) return Object(std::move(end.reply));
      return Finish(std::move(end.reply), /*settled=*/true);
    }
    const RetryAdvice advice = AdviceFor(end);
    last_error_ = std::move(end.status);
    result_.info.verdict = advice.verdict;
    none_had_effect_ = none_had_effect_ && advice.proof != Proof::kNothing;
    const bool settled = advice.proof == Proof::kEveryAttempt || NothingOpen();
    if (!call_.retryable || !advice.retry) return Finish(last_error_, settled);

    const absl::Time now = timing_.Now();
    not_before_ = std::max(not_before_, now + advice.delay);
    if (open_ > 0) {  // Another attempt may still make it.
      next_start_ = std::max(next_start_, not_before_);
      return;
    }
    next_start_ = std::max(not_before_, now + Backoff());
    const bool no_more =
        result_.info.attempts >= policy_.max_attempts || next_start_ >= deadline_ || !budget_.TryTake();
    if (no_more) Finish(last_error_, settled);
  }

  // There was an effect, and no record of it: what is over must not be repeated.
  void Object(std::string reply) {
    result_.info.unprotected_reply = std::move(reply);
    Finish(absl::FailedPreconditionError(
               absl::StrCat("the server executed ", call_.method,
                            " unprotected: it did not see the client token, since "
                            "its rule for this method has another token field, or none. The effect was made, and the "
                            "same call would make another one")),
           /*settled=*/true);
  }

  [[nodiscard]] absl::Duration Backoff() {
    const int doublings = std::min(result_.info.attempts - 1, 30);
    return timing_.RandomUpTo(std::min(policy_.max_backoff, policy_.initial_backoff * (int64_t{1} << doublings)));
  }

  // Whether every attempt ended, and made no effect.
  [[nodiscard]] bool NothingOpen() const { return none_had_effect_ && open_ == 0 && !call_.attempted_before; }

  void GiveUp() {
    std::string message = absl::StrCat("no answer within ", absl::FormatDuration(policy_.timeout));
    result_.info.verdict = Verdict::kUnsaid;
    if (!last_error_.ok()) absl::StrAppend(&message, "; the last attempt failed with: ", last_error_.message());
    Finish(absl::DeadlineExceededError(message), NothingOpen());
  }

  void Finish(absl::StatusOr<std::string> reply, bool settled) {
    result_.reply = std::move(reply);
    result_.info.settled = settled;
    over_ = true;
  }

  const RawCall& call_;
  const RetryPolicy& policy_;
  Connection& connection_;
  Timing& timing_;
  RetryBudget& budget_;
  const std::shared_ptr<Ends> ends_ = std::make_shared<Ends>();
  std::vector<Connection::Cancel> cancels_;
  int open_ = 0;  // Attempts whose end was not looked at.
  absl::Time deadline_;
  absl::Time next_start_;
  absl::Time not_before_ = absl::InfinitePast();  // As the server asked.
  absl::Status last_error_;
  bool none_had_effect_ = true;  // Of the attempts that ended.
  bool over_ = false;
  Result<std::string> result_;
};

}  // namespace

std::string OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnknown:
      return "";
    case Outcome::kExecuted:
      return "executed";
    case Outcome::kReplayed:
      return "replayed";
    case Outcome::kUnprotected:
      return "unprotected";
  }
  return "";
}

Caller::Caller(std::shared_ptr<Connection> connection, Options options, Timing& timing)
    : connection_(std::move(connection)), options_(options), timing_(timing), budget_(options.budget) {}

absl::StatusOr<RawCall> Caller::Prepare(const google::protobuf::MethodDescriptor& method,
                                        const google::protobuf::Message& request, const CallOptions& options,
                                        const google::protobuf::Descriptor* reply) {
  if (request.GetDescriptor() != method.input_type()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), " takes a ", method.input_type()->full_name(),
                                                   ", not a ", request.GetDescriptor()->full_name()));
  }
  if (reply != nullptr && reply != method.output_type()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), " returns a ", method.output_type()->full_name(),
                                                   ", not a ", reply->full_name()));
  }
  const absl::StatusOr<const google::protobuf::FieldDescriptor*> found = TokenFieldOf(method);
  if (!found.ok()) return found.status();
  const google::protobuf::FieldDescriptor* const token_field = *found;
  RawCall call{.method = absl::StrCat(PublicName(method.service()->full_name()), "/", method.name())};
  if (token_field == nullptr) {
    // A read, or a method that is idempotent by its nature; or else nobody knows.
    call.retryable = method.options().idempotency_level() != google::protobuf::MethodOptions::IDEMPOTENCY_UNKNOWN;
    call.request = request.SerializeAsString();
    return call;
  }
  call.token = request.GetReflection()->GetString(request, token_field);
  if (call.token.empty()) call.token = options.token;
  if (call.token.empty() && !options.unprotected) call.token = timing_.NewToken();
  call.token_in_request = true;
  call.retryable = !call.token.empty();
  const std::unique_ptr<google::protobuf::Message> with_token(request.New());
  with_token->CopyFrom(request);
  with_token->GetReflection()->SetString(with_token.get(), token_field, call.token);
  call.request = with_token->SerializeAsString();
  return call;
}

Result<std::string> Caller::CallRaw(const RawCall& call, const RetryPolicy& policy) {
  if (!call.token.empty() && !call.token_in_request && !IsClientToken(call.token)) {
    return {.reply = absl::InvalidArgumentError("a client token has 1 to 64 characters 0x21-0x7E"),
            .info = {.token = call.token, .settled = !call.attempted_before}};
  }
  return CallInProgress(call, policy, *connection_, timing_, budget_).Run();
}

}  // namespace hapax::client
