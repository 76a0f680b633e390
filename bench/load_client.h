#ifndef HAPAX_BENCH_LOAD_CLIENT_H_
#define HAPAX_BENCH_LOAD_CLIENT_H_

#include <string>

#include "absl/status/status.h"
#include "hapax/bench/pacing.h"
#include "hapax/bench/recorder.h"
#include "hapax/bench/requests.h"

namespace hapax::bench {

// The plan of one run.
struct LoadPlan {
  // Calls in flight: this many in a closed loop, at most this many in an open one.
  int in_flight = 1;
  // Calls a second in an open loop; 0 for a closed loop, in which each call starts when another ends.
  double rate = 0;
  // When the first call of an open loop is due.
  Instant start;
  // No call starts after its end.
  Window window;
  // Sent as x-tenant-id; empty: the server's default.
  std::string tenant;
  // Whether calls may be refused with RESOURCE_EXHAUSTED or INVALID_ARGUMENT; they are repeated at once.
  bool may_be_refused = false;
  // The required `hapax-outcome` of each call; empty: any. Only one call in 64 is checked.
  std::string expected_outcome;
};

// Calls a server over its own connections.
//
// Thread-safety: none; each thread has one of its own.
class LoadClient {
 public:
  virtual ~LoadClient() = default;

  // Waits until the connections are established; returns an error if they are not.
  virtual absl::Status Connect() = 0;

  // Makes calls until the window ends or there are no more requests, and returns when the last has ended. Requires:
  // Connect() succeeded.
  virtual Recorder Run(const LoadPlan& plan, Requests& requests) = 0;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_LOAD_CLIENT_H_
