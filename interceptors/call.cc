#include "hapax/interceptors/call.h"

#include <utility>

#include "hapax/base/check.h"

namespace hapax {

std::string_view WireName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kExecuted:
      return "executed";
    case Outcome::kReplayed:
      return "replayed";
    case Outcome::kUnprotected:
      return "unprotected";
  }
  HAPAX_CHECK(false, "an Outcome is one of its values");
}

void UnaryCall::Finish(absl::StatusOr<std::string> reply) {
  if (!reply.ok()) outcome.reset();
  while (!finish_hooks_.empty()) {
    FinishHook hook = std::move(finish_hooks_.back());
    finish_hooks_.pop_back();
    hook(*this, reply);
  }
  Send(std::move(reply));
}

}  // namespace hapax
