#include "hapax/client/wire/endpoint_health.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace hapax::client {

std::vector<size_t> EndpointHealth::Failed() const {
  absl::MutexLock lock(&mu_);
  std::vector<size_t> failed;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].pause > absl::ZeroDuration()) failed.push_back(i);
  }
  return failed;
}

size_t EndpointHealth::Choose(absl::Span<const size_t> avoided, absl::Duration now, IsConnected is_connected) {
  // Without the lock, since gRPC may run callbacks of attempts meanwhile.
  std::vector<size_t> disconnected = Failed();
  disconnected.erase(std::remove_if(disconnected.begin(), disconnected.end(), is_connected), disconnected.end());
  const auto is_in = [](absl::Span<const size_t> endpoints, size_t endpoint) {
    return std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
  };

  absl::MutexLock lock(&mu_);
  size_t best = order_.front();
  using Rank = std::tuple<bool, bool, bool, absl::Duration>;  // The least is the best.
  std::optional<Rank> best_rank;
  for (const size_t endpoint : order_) {
    const State& state = states_[endpoint];
    const bool failed = state.pause > absl::ZeroDuration();
    const bool is_disconnected = failed && is_in(disconnected, endpoint);
    const bool passed_over = failed && (now < state.until || is_disconnected);
    const Rank rank(is_in(avoided, endpoint), passed_over, is_disconnected,
                    passed_over ? state.until : absl::ZeroDuration());
    if (best_rank.has_value() && rank >= *best_rank) continue;
    best = endpoint;
    best_rank = rank;
  }
  State& chosen = states_[best];
  chosen.asked = std::min(chosen.asked, now);
  // Other attempts pass it over until this one has told how it is.
  if (chosen.pause > absl::ZeroDuration() && now >= chosen.until) {
    chosen.until = now + chosen.pause;
    chosen.probing = true;
  }
  return best;
}

void EndpointHealth::OnAnswer(size_t endpoint) {
  absl::MutexLock lock(&mu_);
  states_[endpoint] = State();
}

void EndpointHealth::OnFailure(size_t endpoint, absl::Duration now) {
  absl::MutexLock lock(&mu_);
  Fail(states_[endpoint], now);
}

void EndpointHealth::OnSilence(size_t endpoint, absl::Duration now) {
  absl::MutexLock lock(&mu_);
  State& state = states_[endpoint];
  if (now - state.asked >= kLongestSilence) Fail(state, now);
}

void EndpointHealth::Fail(State& state, absl::Duration now) {
  // Attempts that fail together count once.
  if (state.pause == absl::ZeroDuration()) {
    state.pause = kFirstPause;
  } else if (state.probing) {
    state.pause = std::min(2 * state.pause, kLongestPause);
  }
  state.probing = false;
  state.until = std::max(state.until, now + state.pause);
}

}  // namespace hapax::client
