#ifndef HAPAX_CLIENT_CALL_RETRY_H_
#define HAPAX_CLIENT_CALL_RETRY_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "hapax/client/wire/connection.h"

namespace hapax::client {

// When to retry, and for how long.
struct RetryPolicy {
  // The limit for the whole call, including all attempts and the waits between them.
  absl::Duration timeout = absl::Seconds(60);
  // The limit for one attempt. It is at most the rest of `timeout`. With several endpoints, an attempt that hangs is
  // made at another after this time. By default, healthy servers answer well within it, also while their store elects a
  // leader; and `timeout` is long enough for six servers that hang.
  absl::Duration attempt_timeout = absl::Seconds(10);
  // Before attempt n+1 the client waits a random time of up to initial_backoff * 2^(n-1), and up to max_backoff (full
  // jitter). It waits at least as long as google.rpc.RetryInfo says. The first attempt at each further endpoint does
  // not wait, and does not count as n.
  absl::Duration initial_backoff = absl::Milliseconds(50);
  absl::Duration max_backoff = absl::Seconds(5);
  // The maximum number of attempts, including the first.
  int max_attempts = 100;
  // After this time without an answer, another attempt starts in parallel, at the cost of the retry budget. The token
  // makes that safe. The first reply counts, and the other attempts are cancelled. Infinite: never.
  absl::Duration hedge_delay = absl::InfiniteDuration();
};

// The server's verdict on another attempt (`hapax-retry`).
enum class Verdict {
  kUnsaid,     // The attempt succeeded, was not answered, or was not answered by Hapax.
  kSameToken,  // Try again.
  kNewToken,   // This token is used up.
  kNever,      // Correct the request.
};

// What the error of an attempt proves about effects.
enum class Proof {
  kNothing,       // This attempt may have had an effect, or may still have one.
  kThisAttempt,   // This attempt had none. Another with its token may have had one, or may still have one.
  kEveryAttempt,  // No attempt with this token and request will have one: the token is used up or refused.
};

// The conclusions from the end of an attempt about another one.
struct RetryAdvice {
  Verdict verdict = Verdict::kUnsaid;
  bool retry = false;
  // Whether another server may answer now, since the failure is one of this server or of the way to it.
  bool elsewhere = false;
  // The minimum wait, from google.rpc.RetryInfo.
  absl::Duration delay = absl::ZeroDuration();
  Proof proof = Proof::kNothing;
};

// Returns the advice for a failed attempt that carried a token, or changes nothing. Metadata `hapax-retry`, which only
// Hapax sends, decides if present (C27). With it but without a reason of Hapax, the error is the service's own, and
// proves that the attempt had no effect (C12). Without it, the error comes from the network or a proxy. Then a
// google.rpc.RetryInfo or a transient code allows another attempt.
[[nodiscard]] RetryAdvice AdviceFor(const AttemptEnd& end);

// Limits retries to a fraction of calls, so that clients do not overload a struggling server (like gRPC's retry
// throttling, gRFC A6). Each retry takes one from the budget, and each success returns a part.
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

  // Returns false when the budget has no retry left.
  [[nodiscard]] bool TryTake();
  void OnSuccess();

 private:
  const Options options_;
  absl::Mutex mu_;
  double left_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_RETRY_H_
