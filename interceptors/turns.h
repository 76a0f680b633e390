#ifndef HAPAX_INTERCEPTORS_TURNS_H_
#define HAPAX_INTERCEPTORS_TURNS_H_

#include <string_view>

#include "absl/functional/any_invocable.h"

namespace hapax {

// Lets the parties of one thread take turns. Each thread that serves calls has one instance.
class Turns {
 public:
  virtual ~Turns() = default;
  // Runs `task` on the thread at the party's turn, or at once if nothing waits. Must be called on that thread.
  virtual void InTurn(std::string_view party, absl::AnyInvocable<void()> task) = 0;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_TURNS_H_
