#include "hapax/client/call/ongoing_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

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

}  // namespace

OngoingCall::OngoingCall(std::shared_ptr<const RawCall> call, const RetryPolicy& policy, Connection& connection,
                         Timing& timing, RetryBudget& budget, Done done)
    : call_(std::move(call)),
      policy_(policy),
      connection_(connection),
      timing_(timing),
      budget_(budget),
      deadline_(timing.Now() + policy.timeout),
      done_(std::move(done)),
      tried_(connection) {
  result_.info.token = call_->token;
}

void OngoingCall::Start(On on) { Advance(on); }

void OngoingCall::Refuse(absl::Status why, bool settled, On on) {
  {
    absl::MutexLock lock(&mu_);
    Finish(std::move(why), settled);
  }
  Advance(on);
}

void OngoingCall::Cancel() {
  if (!process_.IsThisOne()) return;
  {
    absl::MutexLock lock(&mu_);
    if (over_) return;
    cancelled_ = true;
  }
  AdvanceElsewhere();
}

void OngoingCall::AdvanceElsewhere() {
  timing_.At(absl::InfinitePast(), [self = shared_from_this()] { self->Advance(On::kThisThread); });
}

void OngoingCall::Advance(On on) {
  {
    absl::MutexLock lock(&mu_);
    if (moving_) return;  // The thread that advances it checks again before it rests.
    moving_ = true;
  }
  while (true) {
    switch (Decide(on)) {
      case Step::kAttempt:
        MakeAttempt();
        break;
      case Step::kRest:
        return;
      case Step::kHandOver:
        return HandOver();
      case Step::kElsewhere:
        return AdvanceElsewhere();
    }
  }
}

OngoingCall::Step OngoingCall::Decide(On on) {
  absl::MutexLock lock(&mu_);
  while (!over_) {
    const absl::Time now = timing_.Now();
    // Ends come first, so that a reply that has arrived is not lost to a cancellation or a deadline.
    if (!ended_.empty()) {
      Judge(TakeEnd());
    } else if (cancelled_) {
      GiveUp(absl::StatusCode::kCancelled, "cancelled by the caller");
    } else if (now >= deadline_) {
      GiveUp(absl::StatusCode::kDeadlineExceeded,
             absl::StrCat("no answer within ", absl::FormatDuration(policy_.timeout)));
    } else if (now < next_start_) {
      SetTimer();
      moving_ = false;
      return Step::kRest;
    } else if (IsAffordable()) {
      return Step::kAttempt;
    } else {
      next_start_ = absl::InfiniteFuture();
    }
  }
  if (on == On::kThisThread) return Step::kHandOver;
  moving_ = false;
  return Step::kElsewhere;
}

// The first attempt is free. Judge has paid for a retry; a hedge is paid for here.
bool OngoingCall::IsAffordable() { return open_.empty() || budget_.TryTake(); }

void OngoingCall::SetTimer() {
  const absl::Time when = std::min(next_start_, deadline_);
  if (timer_.number != 0 && timer_.when == when) return;
  timing_.Drop(std::exchange(timer_, TimerId()));
  if (when == absl::InfiniteFuture()) return;
  timer_ = timing_.At(when, [self = shared_from_this(), when] { self->OnTimer(when); });
}

void OngoingCall::OnTimer(absl::Time when) {
  {
    absl::MutexLock lock(&mu_);
    if (timer_.when == when) timer_ = TimerId();
  }
  Advance(On::kThisThread);
}

void OngoingCall::MakeAttempt() {
  const size_t endpoint = ChooseEndpoint();
  Attempt attempt;
  AttemptNumber number = 0;
  {
    absl::MutexLock lock(&mu_);
    attempt = NextAttempt(endpoint);
    number = result_.info.attempts;
    open_.push_back({.number = number, .endpoint = endpoint, .cancel = nullptr});
    tried_.OnAttempt(endpoint);
  }
  Connection::Cancel cancel =
      connection_.Start(std::move(attempt), [self = shared_from_this(), number, endpoint](AttemptEnd end) {
        self->OnEnd({.number = number, .endpoint = endpoint, .end = std::move(end)});
      });
  absl::MutexLock lock(&mu_);
  open_.back().cancel = std::move(cancel);  // Its end is processed later, by this same thread.
}

// Without the lock while the connection chooses, since that may run callbacks of attempts.
size_t OngoingCall::ChooseEndpoint() {
  std::vector<size_t> avoided;
  {
    absl::MutexLock lock(&mu_);
    if (!tried_.has_several()) return 0;
    for (const Open& open : open_) avoided.push_back(open.endpoint);
    avoided = tried_.Avoided(std::move(avoided));
  }
  return connection_.ChooseEndpoint(avoided);
}

Attempt OngoingCall::NextAttempt(size_t endpoint) {
  const absl::Time now = timing_.Now();
  Attempt attempt{.method = call_->method,
                  .request = call_->request,
                  .metadata = {},
                  .deadline = std::min(deadline_, now + policy_.attempt_timeout),
                  .endpoint = endpoint};
  if (!call_->token.empty() && !call_->token_in_request) attempt.metadata.emplace_back(kTokenMetadata, call_->token);
  ++result_.info.attempts;
  const bool hedge = call_->retryable && result_.info.attempts < policy_.max_attempts;
  next_start_ = hedge ? now + policy_.hedge_delay : absl::InfiniteFuture();
  return attempt;
}

void OngoingCall::OnEnd(Ended ended) {
  {
    absl::MutexLock lock(&mu_);
    if (over_) return;
    ended_.push_back(std::move(ended));
  }
  Advance(On::kThisThread);
}

// A reply comes before errors.
OngoingCall::Ended OngoingCall::TakeEnd() {
  auto chosen = std::find_if(ended_.begin(), ended_.end(), [](const Ended& ended) { return ended.end.status.ok(); });
  if (chosen == ended_.end()) chosen = ended_.begin();
  Ended ended = std::move(*chosen);
  ended_.erase(chosen);
  open_.erase(std::find_if(open_.begin(), open_.end(), [&](const Open& open) { return open.number == ended.number; }));
  return ended;
}

void OngoingCall::Judge(Ended ended) {
  AttemptEnd& end = ended.end;
  if (end.status.ok()) {
    budget_.OnSuccess();
    result_.info.outcome = OutcomeOf(end.metadata);
    result_.info.verdict = Verdict::kUnsaid;
    if (result_.info.outcome == Outcome::kUnprotected && !call_->token.empty()) return Object(std::move(end.reply));
    return Finish(std::move(end.reply), /*settled=*/true);
  }
  const RetryAdvice advice = AdviceFor(end);
  tried_.OnError(ended.endpoint, end.status);
  last_error_ = std::move(end.status);
  result_.info.verdict = advice.verdict;
  none_had_effect_ = none_had_effect_ && advice.proof != Proof::kNothing;
  const bool settled = advice.proof == Proof::kEveryAttempt || NothingOpen();
  if (!call_->retryable || !advice.retry) return Finish(last_error_, settled);
  PlanRetry(advice, settled);
}

// Each further endpoint gets its first attempt at once, and free of the budget: a call makes few of them. The delay
// that one server asks for is not another's.
void OngoingCall::PlanRetry(const RetryAdvice& advice, bool settled) {
  const absl::Time now = timing_.Now();
  const absl::Time next_at_another = std::max(not_before_, now);
  not_before_ = std::max(not_before_, now + advice.delay);
  const bool may_retry = result_.info.attempts < policy_.max_attempts;
  if (advice.elsewhere && may_retry && tried_.AnyLeft() && next_at_another < deadline_) {
    ++failovers_;
    next_start_ = next_at_another;
    return;
  }
  if (!open_.empty()) {  // Another attempt may still succeed.
    next_start_ = std::max(next_start_, not_before_);
    return;
  }
  next_start_ = std::max(not_before_, now + Backoff());
  if (!may_retry || next_start_ >= deadline_ || !budget_.TryTake()) {
    Finish(advice.elsewhere ? tried_.Describe(last_error_) : last_error_, settled);
  }
}

// The effect was made, but not recorded under the token. So the call must not be repeated.
void OngoingCall::Object(std::string reply) {
  result_.info.unprotected_reply = std::move(reply);
  Finish(absl::FailedPreconditionError(
             absl::StrCat("the server executed ", call_->method,
                          " unprotected: it did not see the client token, since "
                          "its rule for this method has another token field, or none. The effect was made, and the "
                          "same call would make another one")),
         /*settled=*/true);
}

absl::Duration OngoingCall::Backoff() {
  const int doublings = std::clamp(result_.info.attempts - 1 - failovers_, 0, 30);
  return timing_.RandomUpTo(std::min(policy_.max_backoff, policy_.initial_backoff * (int64_t{1} << doublings)));
}

bool OngoingCall::NothingOpen() const { return none_had_effect_ && open_.empty() && !call_->attempted_before; }

void OngoingCall::GiveUp(absl::StatusCode code, std::string why) {
  result_.info.verdict = Verdict::kUnsaid;
  if (const std::string tried = tried_.Describe(); !tried.empty()) {
    absl::StrAppend(&why, "; ", tried);
  } else if (!last_error_.ok()) {
    absl::StrAppend(&why, "; the last attempt failed with: ", last_error_.message());
  }
  Finish(absl::Status(code, why), NothingOpen());
}

void OngoingCall::Finish(absl::StatusOr<std::string> reply, bool settled) {
  result_.reply = std::move(reply);
  result_.info.settled = settled;
  over_ = true;
  ended_.clear();
  timing_.Drop(std::exchange(timer_, TimerId()));
}

// Runs once, since `moving_` stays true. Cancels the attempts that are still open, as their ends no longer matter.
void OngoingCall::HandOver() {
  std::vector<Open> open;
  Done done;
  std::optional<Result<std::string>> result;
  {
    absl::MutexLock lock(&mu_);
    open = std::move(open_);
    done = std::move(done_);
    result = std::move(result_);
  }
  for (Open& attempt : open) attempt.cancel();
  open.clear();
  std::move(done)(*std::move(result));
}

}  // namespace hapax::client
