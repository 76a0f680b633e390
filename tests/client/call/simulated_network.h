#ifndef HAPAX_TESTS_CLIENT_CALL_SIMULATED_NETWORK_H_
#define HAPAX_TESTS_CLIENT_CALL_SIMULATED_NETWORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hapax/client/call/timing.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/client/call/attempt_ends.h"

namespace hapax::client {

// Time that passes only when somebody waits: it goes from one event to the next, and nothing sleeps.
//
// Thread-safety: for one thread.
class SimulatedTiming final : public Timing {
 public:
  // What RandomUpTo(limit) gives, as a part of the limit; what it was asked for.
  double luck = 1;
  std::vector<absl::Duration> random_limits;

  absl::Time Now() override { return now_; }
  bool Await(absl::Mutex& mu, const absl::Condition& condition,
             absl::Time until) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (!condition.Eval()) {
      const auto next = events_.begin();
      if (next == events_.end() || next->first.first > until) {
        now_ = std::max(now_, until);
        return false;
      }
      mu.Unlock();
      RunNext();
      mu.Lock();
    }
    return true;
  }
  TimerId At(absl::Time when, absl::AnyInvocable<void() &&> task) override {
    const TimerId id{.when = std::max(when, now_), .number = ++timers_};
    events_.emplace(std::pair(id.when, id.number),
                    [kept = std::make_shared<absl::AnyInvocable<void() &&>>(std::move(task))] { std::move (*kept)(); });
    return id;
  }
  void Drop(const TimerId& timer) override { events_.erase({timer.when, timer.number}); }
  absl::Duration RandomUpTo(absl::Duration limit) override {
    random_limits.push_back(limit);
    return luck * limit;
  }
  std::string NewToken() override { return absl::StrCat("new-token-", ++tokens_); }

  // Has it happen when the time has come.
  void Have(absl::Time when, std::function<void()> event) {
    events_.emplace(std::pair(when, ++timers_), std::move(event));
  }
  // Lets happen what is due by then.
  void RunUntil(absl::Time when) {
    while (!events_.empty() && events_.begin()->first.first <= when) RunNext();
  }
  // Lets all that is still to come happen.
  void RunAll() {
    while (!events_.empty()) RunNext();
  }

 private:
  void RunNext() {
    auto next = events_.extract(events_.begin());
    now_ = std::max(now_, next.key().first);
    next.mapped()();
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000'000);
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> events_;
  uint64_t timers_ = 0;
  int tokens_ = 0;
};

// A connection whose attempts end as the test says, in simulated time: each takes the next of the script, and ends as
// UNAVAILABLE at once when that is used up.
//
// Thread-safety: for one thread.
class ScriptedConnection final : public Connection {
 public:
  struct Started {
    Attempt attempt;
    absl::Time when;
    bool cancelled = false;  // Before it ended.
    bool ended = false;
  };
  static constexpr absl::Duration kNever = absl::InfiniteDuration();

  Destination where;  // What destination() tells.

  explicit ScriptedConnection(SimulatedTiming& timing) : timing_(timing), first_(timing.Now()) {}

  // The next attempt ends so long after its start; no end comes later than its deadline. Zero: before Start returns.
  void Next(AttemptEnd end, absl::Duration after = absl::Milliseconds(1)) {
    script_.push_back({std::move(end), after});
  }
  void Next(int times, const AttemptEnd& end) {
    for (int i = 0; i < times; ++i) Next(end);
  }

  [[nodiscard]] Destination destination() const override { return where; }

  Cancel Start(Attempt attempt, Done done) override {
    auto started = std::make_shared<Started>();
    started->attempt = std::move(attempt);
    started->when = timing_.Now();
    attempts_.push_back(started);
    auto [end, after] = Take();
    absl::Time when = started->when + after;
    if (when > started->attempt.deadline) {
      when = started->attempt.deadline;
      end = Lost(absl::StatusCode::kDeadlineExceeded);
    }
    auto finish = [started, kept = std::make_shared<Done>(std::move(done)), kept_end = std::move(end)]() mutable {
      started->ended = true;
      Done ended = std::move(*kept);
      std::move(ended)(std::move(kept_end));
    };
    if (after == absl::ZeroDuration()) {
      finish();
    } else {
      timing_.Have(when, std::move(finish));
    }
    return [started] { started->cancelled = !started->ended; };
  }

  [[nodiscard]] const Started& attempt(size_t index) const { return *attempts_.at(index); }
  [[nodiscard]] size_t count() const { return attempts_.size(); }
  // When each attempt was started, since the connection was made.
  [[nodiscard]] std::vector<absl::Duration> starts() const {
    std::vector<absl::Duration> starts;
    starts.reserve(attempts_.size());
    for (const auto& started : attempts_) starts.push_back(started->when - first_);
    return starts;
  }

 private:
  std::pair<AttemptEnd, absl::Duration> Take() {
    if (script_.empty()) return {Lost(), absl::Nanoseconds(1)};
    auto next = std::move(script_.front());
    script_.pop_front();
    return next;
  }

  SimulatedTiming& timing_;
  const absl::Time first_;
  std::deque<std::pair<AttemptEnd, absl::Duration>> script_;
  std::vector<std::shared_ptr<Started>> attempts_;
};

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_CALL_SIMULATED_NETWORK_H_
