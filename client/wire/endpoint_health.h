#ifndef HAPAX_CLIENT_WIRE_ENDPOINT_HEALTH_H_
#define HAPAX_CLIENT_WIRE_ENDPOINT_HEALTH_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hapax::client {

// Tells which of several endpoints takes the next attempt. All attempts go to the home endpoint while it is healthy, so
// a client needs one connection, as with one endpoint. Attempts return home after a failure, so clients stay spread.
//
//   healthy --failure--> passed over, 1 s --and connected--> one attempt --answer--> healthy
//                            ^                                    |
//                            +------- twice as long, to 30 s -----+ failure
//
// An endpoint that is passed over is chosen only if there is no other.
//
// Thread-safety: safe.
class EndpointHealth {
 public:
  static constexpr absl::Duration kFirstPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Seconds(30);
  static constexpr absl::Duration kLongestSilence = absl::Seconds(1);

  // Whether an endpoint is connected. If it is not, it starts to connect.
  using IsConnected = absl::FunctionRef<bool(size_t endpoint)>;

  // `order` has each endpoint once, home first.
  explicit EndpointHealth(std::vector<size_t> order) : order_(std::move(order)), states_(order_.size()) {}

  // Returns the endpoint of the next attempt: the first in order that is healthy and not in `avoided`, or else the best
  // that there is. `now` is monotonic. Asks `is_connected` only about endpoints that failed.
  [[nodiscard]] size_t Choose(absl::Span<const size_t> avoided, absl::Duration now, IsConnected is_connected);

  // An attempt was answered by its server.
  void OnAnswer(size_t endpoint);
  // An attempt could not be made, or its connection was lost, or its server cannot serve now.
  void OnFailure(size_t endpoint, absl::Duration now);
  // An attempt was ended by its deadline, or cancelled since another was answered first. That is a failure if the
  // endpoint has answered nothing for kLongestSilence.
  void OnSilence(size_t endpoint, absl::Duration now);

 private:
  struct State {
    absl::Duration pause = absl::ZeroDuration();      // Zero if healthy.
    absl::Duration until = absl::ZeroDuration();      // The end of the pause.
    bool probing = false;                             // An attempt was made after the pause.
    absl::Duration asked = absl::InfiniteDuration();  // The first attempt since the last answer.
  };

  [[nodiscard]] std::vector<size_t> Failed() const ABSL_LOCKS_EXCLUDED(mu_);
  void Fail(State& state, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::vector<size_t> order_;
  mutable absl::Mutex mu_;
  std::vector<State> states_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_ENDPOINT_HEALTH_H_
