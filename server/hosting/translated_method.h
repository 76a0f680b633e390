#ifndef HAPAX_SERVER_HOSTING_TRANSLATED_METHOD_H_
#define HAPAX_SERVER_HOSTING_TRANSLATED_METHOD_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace hapax {

// What a translated call does next: it calls a hosted method, or it ends.
struct TranslationStep {
  using Then = absl::AnyInvocable<TranslationStep(absl::StatusOr<std::string> reply) &&>;

  // Calls a hosted unary method with a serialized request, and goes on with its serialized reply or its error. `then`
  // is called once, on any thread. It must not block.
  static TranslationStep Call(std::string_view method, std::string request, Then then) {
    return {.method = method, .request = std::move(request), .then = std::move(then), .end = ""};
  }
  // Ends with the serialized reply, or an error.
  static TranslationStep End(absl::StatusOr<std::string> reply) {
    return {.method = "", .request = "", .then = nullptr, .end = std::move(reply)};
  }

  [[nodiscard]] bool is_end() const { return then == nullptr; }

  std::string_view method;  // Such as "hapax.compute.v1.Compute/StopInstance"; a literal.
  std::string request;
  Then then;
  absl::StatusOr<std::string> end;
};

// A method of another API, served by calls of hosted methods. Each of them passes the chain as a call of its own, with
// the client's metadata: so credentials and tokens mean the same as without the translation.
//
//   TranslatedMethod stop = {.name = "other.Machines/Halt",
//                            .first_method = "hapax.compute.v1.Compute/StopInstance",
//                            .begin = [](std::string_view request) {
//                              ...
//                              return TranslationStep::Call("hapax.compute.v1.Compute/StopInstance", bytes, then);
//                            }};
//
// At most one call of a translation mutates, since a token names one effect.
struct TranslatedMethod {
  // `package.Service/Method`, declared in a file that is linked in.
  std::string name;
  // The hosted method of the first call. It is fixed, so that the chain admits the caller before the request is read.
  std::string_view first_method;
  // Reads a request, which is of any size and content. Returns a call of `first_method`, or an end with an error.
  // Called from many threads.
  std::function<TranslationStep(std::string_view request)> begin;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_TRANSLATED_METHOD_H_
