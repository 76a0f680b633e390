#ifndef HAPAX_CLIENT_CALL_RAW_CALL_H_
#define HAPAX_CLIENT_CALL_RAW_CALL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hapax/client/call/retry.h"

namespace hapax::client {

// The outcome of a mutating call, as reported by the server (`hapax-outcome`).
enum class Outcome {
  kUnknown,      // Not reported: the call is a read, or the server is not Hapax.
  kExecuted,     // An attempt of this call made the effect.
  kReplayed,     // An earlier attempt made the effect; this is its reply.
  kUnprotected,  // The call made an effect, but the server saw no token.
};
// Returns `executed`, `replayed`, `unprotected`, or empty.
[[nodiscard]] std::string OutcomeName(Outcome outcome);

// Facts about a call besides its reply or error.
struct CallInfo {
  std::string token;  // Empty if the call carried no token.
  Outcome outcome = Outcome::kUnknown;
  int attempts = 0;
  // With a reply: true. With an error: whether this call certainly makes no effect any more. If false, an unanswered
  // attempt may have made the effect, or may still make it; the same call with the same token tells.
  // Two settled errors do not prove that there was no effect: CLIENT_TOKEN_EXPIRED, as nobody can tell any more; and an
  // unprotected execution (`unprotected_reply`).
  bool settled = false;
  // With an error: the verdict on another attempt in the last answer of the server.
  Verdict verdict = Verdict::kUnsaid;
  // The bytes of the reply if the call carried a token but the server executed it `unprotected`, without seeing the
  // token. The call then ends with FAILED_PRECONDITION, and must not be repeated: a repetition would make a second
  // effect.
  std::optional<std::string> unprotected_reply;
};

// A call as bytes, for methods whose message types are not available.
struct RawCall {
  std::string method;  // Full name, `package.Service/Method`.
  std::string request;
  std::string token;  // Empty if none.
  // Whether the request contains the token. If not, it is sent as metadata `x-client-token`.
  bool token_in_request = false;
  // Whether another attempt is harmless: the call has a token, or the method changes nothing.
  bool retryable = true;
  // Whether there were earlier attempts with unknown ends. Then a refusal of this call does not settle it.
  bool attempted_before = false;
};

// The reply or error of a call, and further facts about the call.
template <typename Reply>
struct Result {
  absl::StatusOr<Reply> reply;
  CallInfo info;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_CALL_RAW_CALL_H_
