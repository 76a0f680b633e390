#include "hapax/client/caller.h"

#include <algorithm>
#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hapax/idempotency/v1/rule.pb.h"

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

// Attempts of one call that have not ended, and the ends that nobody has looked at yet. Shared with the attempts'
// callbacks, which may come when the call is over.
struct Attempts {
  absl::Mutex mu;
  int running ABSL_GUARDED_BY(mu) = 0;
  std::list<AttemptEnd> ended ABSL_GUARDED_BY(mu);
  std::list<Connection::Cancel> cancels;  // For the thread of the call alone.
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
    deadline_ = timing_.Now() + policy_.timeout;
    next_start_ = timing_.Now();
    while (!over_) {
      if (timing_.Now() >= deadline_) {
        GiveUp();
      } else if (timing_.Now() >= next_start_) {
        Start();
      } else if (std::optional<AttemptEnd> end = AwaitEnd(std::min(next_start_, deadline_))) {
        Judge(*std::move(end));
      }
    }
    for (Connection::Cancel& cancel : attempts_->cancels) cancel();
    return std::move(result_);
  }

 private:
  void Start() {
    const absl::Time now = timing_.Now();
    Attempt attempt{.method = call_.method,
                    .request = call_.request,
                    .metadata = {},
                    .deadline = std::min(deadline_, now + policy_.attempt_timeout)};
    if (!call_.token.empty() && !call_.token_in_request) attempt.metadata.emplace_back(kTokenMetadata, call_.token);
    ++result_.info.attempts;
    const bool hedge = call_.retryable && result_.info.attempts < policy_.max_attempts;
    next_start_ = hedge ? now + policy_.hedge_delay : absl::InfiniteFuture();
    {
      absl::MutexLock lock(&attempts_->mu);
      ++attempts_->running;
    }
    attempts_->cancels.push_back(connection_.Start(std::move(attempt), [attempts = attempts_](AttemptEnd end) {
      absl::MutexLock lock(&attempts->mu);
      --attempts->running;
      attempts->ended.push_back(std::move(end));
    }));
  }

  std::optional<AttemptEnd> AwaitEnd(absl::Time until) {
    Attempts& attempts = *attempts_;
    const auto any_ended = [&attempts]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(attempts.mu) { return !attempts.ended.empty(); };
    absl::MutexLock lock(&attempts.mu);
    if (!timing_.Await(attempts.mu, absl::Condition(&any_ended), until)) return std::nullopt;
    AttemptEnd end = std::move(attempts.ended.front());
    attempts.ended.pop_front();
    return end;
  }

  void Judge(AttemptEnd end) {
    if (end.status.ok()) {
      budget_.OnSuccess();
      result_.info.outcome = OutcomeOf(end.metadata);
      result_.info.settled = true;
      result_.info.verdict = RetryVerdict::kUnsaid;
      return Finish(std::move(end.reply));
    }
    const RetryAdvice advice = AdviceFor(end);
    last_error_ = std::move(end.status);
    all_answered_ = all_answered_ && advice.no_effect;
    result_.info.verdict = advice.verdict;
    absl::MutexLock lock(&attempts_->mu);
    // What is refused for good is refused in every attempt, also in those that are still under way.
    result_.info.settled = !advice.retry || (all_answered_ && attempts_->running == 0);
    if (!call_.retryable || !advice.retry) return Finish(last_error_);
    if (attempts_->running > 0) return;  // Another attempt may still make it.
    const absl::Time start = timing_.Now() + std::max(advice.delay, Backoff());
    const bool no_more = result_.info.attempts >= policy_.max_attempts || start >= deadline_ || !budget_.TryTake();
    if (no_more) return Finish(last_error_);
    next_start_ = start;
  }

  [[nodiscard]] absl::Duration Backoff() {
    const int doublings = std::min(result_.info.attempts - 1, 30);
    return timing_.RandomUpTo(std::min(policy_.max_backoff, policy_.initial_backoff * (int64_t{1} << doublings)));
  }

  void GiveUp() {
    std::string message = absl::StrCat("no answer within ", absl::FormatDuration(policy_.timeout));
    result_.info.settled = false;
    result_.info.verdict = RetryVerdict::kUnsaid;
    if (!last_error_.ok()) absl::StrAppend(&message, "; the last attempt failed with: ", last_error_.message());
    Finish(absl::DeadlineExceededError(message));
  }

  void Finish(absl::StatusOr<std::string> reply) {
    result_.reply = std::move(reply);
    over_ = true;
  }

  const RawCall& call_;
  const RetryPolicy& policy_;
  Connection& connection_;
  Timing& timing_;
  RetryBudget& budget_;
  const std::shared_ptr<Attempts> attempts_ = std::make_shared<Attempts>();
  absl::Time deadline_;
  absl::Time next_start_;
  absl::Status last_error_;
  bool all_answered_ = true;  // Every attempt that ended was answered, with an error that left nothing.
  bool over_ = false;
  Result<std::string> result_;
};

const google::protobuf::FieldDescriptor* TokenFieldOf(const google::protobuf::MethodDescriptor& method) {
  if (!method.options().HasExtension(idempotency::v1::rule)) return nullptr;
  return method.input_type()->FindFieldByName(method.options().GetExtension(idempotency::v1::rule).token_field());
}

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
                                        const google::protobuf::Message& request, const CallOptions& options) {
  if (request.GetDescriptor() != method.input_type()) {
    return absl::InvalidArgumentError(absl::StrCat(method.full_name(), " takes a ", method.input_type()->full_name(),
                                                   ", not a ", request.GetDescriptor()->full_name()));
  }
  RawCall call{.method = absl::StrCat(method.service()->full_name(), "/", method.name())};
  const google::protobuf::FieldDescriptor* token_field = TokenFieldOf(method);
  if (token_field == nullptr || token_field->type() != google::protobuf::FieldDescriptor::TYPE_STRING) {
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
  return CallInProgress(call, policy, *connection_, timing_, budget_).Run();
}

}  // namespace hapax::client
