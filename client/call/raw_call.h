#ifndef HAPAX_CLIENT_CALL_RAW_CALL_H_
#define HAPAX_CLIENT_CALL_RAW_CALL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/client/call/retry.h"

namespace hapax::client {

// What became of a mutating call, as the server says it (`hapax-outcome`).
enum class Outcome {
  kUnknown,      // The server does not say: a read, or a server that is not Hapax.
  kExecuted,     // An attempt of this call made the effect.
  kReplayed,     // The effect was made before; this is the reply of that time.
  kUnprotected,  // An effect was made, and the server saw no token.
};
// `executed`, `replayed`, `unprotected`, or empty.
[[nodiscard]] std::string OutcomeName(Outcome outcome);

// What is known of a call besides its reply; also of one that failed.
struct CallInfo {
  std::string token;  // Empty: the call carried none.
  Outcome outcome = Outcome::kUnknown;
  int attempts = 0;
  // With a reply: true. With an error: whether it is sure that no effect comes of this call any more. Else an attempt
  // that was not answered may have made one, or may yet; the same call with the same token tells. (Two answers are both
  // settled and no proof that there never was an effect: CLIENT_TOKEN_EXPIRED, for nobody can tell any more; and one
  // that was unprotected, for which see `unprotected_reply`.)
  bool settled = false;
  // With an error: what the server said of another attempt, in its last answer.
  Verdict verdict = Verdict::kUnsaid;
  // The reply's bytes, of a call that carried a token and that the server says it executed `unprotected`: it did not
  // see the token. The call's end is FAILED_PRECONDITION then, and nothing may repeat it, for that would be a second
  // effect.
  std::optional<std::string> unprotected_reply;
};

// A call as bytes, for methods whose messages are not at hand.
struct RawCall {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  std::string token;  // Empty for none.
  // Whether the token is in the request already; if not, it goes as metadata `x-client-token`.
  bool token_in_request = false;
  // Whether another attempt does no harm: because of the token, or because the method changes nothing.
  bool retryable = true;
  // Whether attempts were made before that nobody knows the ends of: then a refusal of this one settles nothing that
  // they may still do.
  bool attempted_before = false;
};

// A call's reply, or its error, and what is known of it in either case.
template <typename Reply>
struct Result {
  absl::StatusOr<Reply> reply;
  CallInfo info;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_RAW_CALL_H_
