#ifndef HAPAX_BENCH_LOAD_CLIENT_H_
#define HAPAX_BENCH_LOAD_CLIENT_H_

#include <string>

#include "absl/status/status.h"
#include "hapax/bench/pacing.h"
#include "hapax/bench/recorder.h"
#include "hapax/bench/requests.h"

namespace hapax::bench {

// How one run goes.
struct LoadPlan {
  // Calls in flight: always so many in a closed loop, at most so many in an open one.
  int in_flight = 1;
  // Calls a second of an open loop; 0 for a closed loop, in which a call starts when another ends.
  double rate = 0;
  // When the first call of an open loop is due.
  Instant start;
  // No call begins after its end.
  Window window;
  // As whom to call, in x-tenant-id; empty for the server's default.
  std::string tenant;
  // Whether calls may be refused with RESOURCE_EXHAUSTED or INVALID_ARGUMENT; they are made again at once.
  bool may_be_refused = false;
  // What `hapax-outcome` must say of each call; empty when that does not matter. One call in 64 is asked.
  std::string expected_outcome;
};

// Calls a server over connections of its own.
//
// Thread-safety: none; each thread has one of its own.
class LoadClient {
 public:
  virtual ~LoadClient() = default;

  // Waits until its connections stand; an error when they do not.
  virtual absl::Status Connect() = 0;

  // Makes calls until the window ends or there are no more requests; returns when the last of them has ended.
  // Requires that Connect() succeeded.
  virtual Recorder Run(const LoadPlan& plan, Requests& requests) = 0;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_LOAD_CLIENT_H_
