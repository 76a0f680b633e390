#ifndef HAPAX_CLIENT_CALL_RETRY_H_
#define HAPAX_CLIENT_CALL_RETRY_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {

// When to try again, and for how long.
struct RetryPolicy {
  // For the whole call, with all its attempts and the waiting between them.
  absl::Duration timeout = absl::Seconds(60);
  // For one attempt; what is left of `timeout` if that is less.
  absl::Duration attempt_timeout = absl::Seconds(10);
  // Before attempt n+1 the client waits a random time of up to initial_backoff * 2^(n-1), and up to max_backoff (full
  // jitter); but not less than google.rpc.RetryInfo says.
  absl::Duration initial_backoff = absl::Milliseconds(50);
  absl::Duration max_backoff = absl::Seconds(5);
  // At most this many attempts; the first one counts.
  int max_attempts = 100;
  // When no answer came for so long, another attempt is started beside those under way, out of the budget of retries:
  // the token makes that safe. The first reply is taken, the rest cancelled. Infinite: never.
  absl::Duration hedge_delay = absl::InfiniteDuration();
};

// What the server says of another attempt (`hapax-retry`).
enum class Verdict {
  kUnsaid,     // The attempt succeeded, was not answered, or was answered by something that is not Hapax.
  kSameToken,  // Try again.
  kNewToken,   // This token is used up.
  kNever,      // Correct the request.
};

// What the error of an attempt proves about effects.
enum class Proof {
  kNothing,       // This attempt may have made one, or may yet.
  kThisAttempt,   // This one made none. Another one with its token may have, or may yet.
  kEveryAttempt,  // None with its token and request makes one from now on: the token is used up, or refused as such.
};

// What the end of an attempt says about another one.
struct RetryAdvice {
  Verdict verdict = Verdict::kUnsaid;
  bool retry = false;
  // Not before; from google.rpc.RetryInfo.
  absl::Duration delay = absl::ZeroDuration();
  Proof proof = Proof::kNothing;
};

// The advice for an attempt that failed and carried a token, or changes nothing. Metadata `hapax-retry`, which only a
// server of Hapax's sends, decides where it is (C27): with no reason of Hapax's, the error is the service's own, and
// proves that the attempt made no effect (C12). Without the metadata the error comes from the network, or from a proxy:
// then google.rpc.RetryInfo asks for another attempt, and so does a code that tells of what may be over the next time.
[[nodiscard]] RetryAdvice AdviceFor(const AttemptEnd& end);

// Keeps retries a fraction of calls, so that clients do not finish off a server that struggles (as gRPC's retry
// throttling, gRFC A6): each retry takes one from the budget, each success gives back a part.
//
// Thread-safety: safe.
class RetryBudget {
 public:
  struct Options {
    double capacity = 20;
    double per_success = 0.2;
  };
  RetryBudget() : RetryBudget(Options()) {}
  explicit RetryBudget(Options options) : options_(options), left_(options.capacity) {}

  // False when there is nothing left for a retry.
  [[nodiscard]] bool TryTake();
  void OnSuccess();

 private:
  const Options options_;
  absl::Mutex mu_;
  double left_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_RETRY_H_
