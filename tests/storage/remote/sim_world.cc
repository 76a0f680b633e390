#include "hapax/tests/storage/remote/sim_world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"

namespace hapax {

// Steps and timers of one server.
class SimExecutor final : public RemoteExecutor {
 public:
  void Run(Work work) override { ready_.push_back(std::move(work)); }
  void RunAfter(absl::Duration delay, Work work) override {
    if (delay == absl::InfiniteDuration()) return;
    timers_.push_back(std::move(work));
  }

  // Runs what is ready. Returns false if nothing was.
  bool RunReady() {
    if (ready_.empty()) return false;
    while (!ready_.empty()) {
      Work work = std::move(ready_.front());
      ready_.pop_front();
      std::move(work)();
    }
    return true;
  }
  [[nodiscard]] bool has_timer() const { return !timers_.empty(); }
  [[nodiscard]] size_t timer_count() const { return timers_.size(); }
  void FireTimer() {
    ready_.push_back(std::move(timers_.front()));
    timers_.pop_front();
  }

 private:
  std::deque<Work> ready_;
  std::deque<Work> timers_;
};

absl::StatusOr<RemoteFetched> Failed(absl::Status error, const absl::StatusOr<RemoteFetched>* /*type*/) {
  return error;
}
absl::StatusOr<bool> Failed(absl::Status error, const absl::StatusOr<bool>* /*type*/) { return error; }
absl::StatusOr<RemoteSlotState> Failed(absl::Status error, const absl::StatusOr<RemoteSlotState>* /*type*/) {
  return error;
}
RemoteCommitted Failed(absl::Status error, const RemoteCommitted* /*type*/) { return {.status = std::move(error)}; }

// Sends requests as messages of the world.
class SimBackend final : public RemoteBackend {
 public:
  SimBackend(SimWorld& world, int server) : world_(world), server_(server) {}

  [[nodiscard]] RemoteLimits limits() const override { return {}; }

  void Fetch(RemoteFetch fetch, OnFetched done) override {
    Send<absl::StatusOr<RemoteFetched>>([fetch = std::move(fetch)](SimCluster& c) { return c.Fetch(fetch); },
                                        absl::UnavailableError("broken"), std::move(done));
  }
  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    Send<absl::StatusOr<bool>>(
        [reads = std::move(reads)](SimCluster& c) {
          return c.weakness().guesses_not_compared || c.AreUnchanged(reads);
        },
        absl::UnavailableError("broken"), std::move(done));
  }
  void Commit(RemoteGroup group, OnCommitted done) override {
    if (world_.cluster_.weakness().told_before_commit) {
      std::move(done)({.outcome = RemoteCommitted::Outcome::kApplied});
      done = [](RemoteCommitted) {};
    }
    Send<RemoteCommitted>([group = std::move(group)](SimCluster& c) { return c.Commit(group); },
                          {.outcome = RemoteCommitted::Outcome::kUnknown, .status = absl::UnavailableError("broken")},
                          std::move(done), /*may_break=*/true, /*may_repeat=*/true);
  }
  void ReadSlot(const std::string& slot, OnSlotRead done) override {
    Send<absl::StatusOr<RemoteSlotState>>([slot](SimCluster& c) { return c.ReadSlot(slot); },
                                          absl::UnavailableError("broken"), std::move(done));
  }
  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    Send<absl::StatusOr<bool>>([=](SimCluster& c) { return c.RaiseSlot(slot, seen, next); },
                               absl::UnavailableError("broken"), std::move(done), /*may_break=*/true);
  }

 private:
  template <typename Result, typename Apply, typename Done>
  void Send(Apply apply, Result error, Done done, bool may_break = false, bool may_repeat = false) {
    struct State {
      std::optional<Result> result;
      Done done;
    };
    auto state = std::make_shared<State>();
    state->done = std::move(done);
    world_.Send({.server = server_,
                 .may_break = may_break,
                 .may_repeat = may_repeat,
                 .apply =
                     [&cluster = world_.cluster_, state, apply] {
                       const Result* const type = nullptr;
                       state->result = cluster.error().ok() ? Result(apply(cluster)) : Failed(cluster.error(), type);
                     },
                 .answer = [state] { std::move(state->done)(*std::move(state->result)); },
                 .fail = [state, error] { std::move(state->done)(error); }});
  }

  SimWorld& world_;
  const int server_;
};

class SimServer {
 public:
  SimServer(SimWorld& world, int number, const RemoteOptions& options)
      : backend_(world, number), engine_(std::make_shared<RemoteEngine>(options, backend_, executor_)) {
    engine_->Start();
  }

  [[nodiscard]] SimExecutor& executor() { return executor_; }
  [[nodiscard]] RemoteEngine& engine() { return *engine_; }

 private:
  SimBackend backend_;
  SimExecutor executor_;
  std::shared_ptr<RemoteEngine> engine_;
};

SimWorld::SimWorld(const Options& options)
    : options_(options), faults_(options.faults), cluster_(options.weakness), servers_(options.servers) {
  for (int i = 0; i < options.servers; ++i) {
    StartServer(i);
    for (Settle(); !messages_.empty(); Settle()) {
      messages_.front().apply();
      messages_.front().answer();
      messages_.pop_front();
    }
  }
}

SimWorld::~SimWorld() {
  messages_.clear();
  servers_.clear();
}

RemoteEngine& SimWorld::engine(int server) { return servers_[server]->engine(); }

void SimWorld::StartServer(int server) {
  servers_[server] = nullptr;
  servers_[server] =
      std::make_unique<SimServer>(*this, server,
                                  RemoteOptions{.slot = absl::StrCat("server ", options_.same_id ? 0 : server),
                                                .owner = absl::StrCat("start ", ++starts_),
                                                .max_group = options_.max_group,
                                                .guess_first = options_.guess_first,
                                                .max_fetches = options_.max_fetches,
                                                .slots = options_.slots,
                                                .patience = options_.patience});
}

void SimWorld::Send(Message message) { messages_.push_back(std::move(message)); }

std::vector<SimWorld::Step> SimWorld::Steps() {
  std::vector<Step> steps;
  bool someone_waits = false;
  for (auto message = messages_.begin(); message != messages_.end(); ++message) {
    someone_waits |= !message->is_late;
    AddStepsOf(message, steps);
  }
  for (int i = 0; i < options_.servers && !someone_waits; ++i) {
    if (!servers_[i]->executor().has_timer()) continue;
    steps.push_back({"timer", [this, i] { servers_[i]->executor().FireTimer(); }});
    someone_waits = true;  // One timer at a time, and only when no message is awaited: this bounds the orders.
  }
  if (!someone_waits) return {};  // Late messages alone are nobody's.
  for (int i = 0; i < options_.servers && faults_.crashes > 0; ++i) {
    steps.push_back({"crash", [this, i] {
                       --faults_.crashes;
                       Crash(i);
                     }});
  }
  return steps;
}

void SimWorld::AddStepsOf(std::list<Message>::iterator message, std::vector<Step>& steps) {
  const auto take_out = [this, message] {
    Message taken = std::move(*message);
    messages_.erase(message);
    return taken;
  };
  if (message->is_late) {
    steps.push_back({"late delivery", [take_out] { take_out().apply(); }});
    return;
  }
  steps.push_back({"delivery", [take_out] {
                     Message taken = take_out();
                     taken.apply();
                     taken.answer();
                   }});
  if (message->may_break && faults_.breaks > 0) {
    steps.push_back({"delivery without an answer", [this, take_out] {
                       --faults_.breaks;
                       Message taken = take_out();
                       taken.apply();
                       taken.fail();
                     }});
    steps.push_back({"break before the delivery", [this, message] {
                       --faults_.breaks;
                       message->is_late = true;
                       message->fail();
                     }});
  }
  if (message->may_repeat && faults_.duplicates > 0) {
    steps.push_back({"double delivery", [this, take_out] {
                       --faults_.duplicates;
                       Message taken = take_out();
                       taken.apply();
                       taken.apply();
                       taken.answer();
                     }});
  }
}

void SimWorld::Settle() {
  bool any = true;
  while (any) {
    any = false;
    for (const auto& server : servers_) any |= server != nullptr && server->executor().RunReady();
  }
}

void SimWorld::RunUntil(const std::function<bool()>& until) {
  constexpr int kMaxSteps = 10'000;
  for (int i = 0; i < kMaxSteps; ++i) {
    Settle();
    if (until()) return;
    const std::vector<Step> steps = Steps();
    if (steps.empty()) return;
    steps.front().take();
  }
}

void SimWorld::Take(std::string_view what) {
  Settle();
  for (const Step& step : Steps()) {
    if (step.what != what) continue;
    step.take();
    return Settle();
  }
  HAPAX_CHECK(false, "the test expects such a step");
}

void SimWorld::TakeLast(std::string_view what) {
  Settle();
  std::vector<Step> steps = Steps();
  std::reverse(steps.begin(), steps.end());
  const auto last = std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.what == what; });
  HAPAX_CHECK(last != steps.end(), "the test expects such a step");
  last->take();
  Settle();
}

void SimWorld::FireTimers(int server) {
  Settle();
  SimExecutor& executor = servers_[server]->executor();
  for (size_t left = executor.timer_count(); left > 0; --left) executor.FireTimer();
  Settle();
}

void SimWorld::DeliverLate() {
  for (auto message = messages_.begin(); message != messages_.end(); message = messages_.erase(message)) {
    message->apply();
  }
}

void SimWorld::Crash(int server) {
  for (auto message = messages_.begin(); message != messages_.end();) {
    if (message->server != server) {
      ++message;
    } else if (message->may_break) {
      message->is_late = true;
      ++message;
    } else {
      message = messages_.erase(message);
    }
  }
  StartServer(server);
  if (on_crash_) on_crash_(server);
}

}  // namespace hapax
