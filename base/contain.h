#ifndef HAPAX_BASE_CONTAIN_H_
#define HAPAX_BASE_CONTAIN_H_

#include <cxxabi.h>

#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"

namespace hapax {

// The exception that is being handled, as INTERNAL "`what` threw TYPE: TEXT". Requires: called in a catch block.
[[nodiscard]] absl::Status ThrownError(std::string_view what);

// Calls code that is not Hapax's and may throw, such as a handler:
//
//   absl::Status done = Contain("handler of Charge", [&] { return handler(context, txn, request, reply); });
//
// Returns the result of `f`: a Status, a StatusOr, or OK for void. An exception becomes ThrownError(what), whatever its
// type. The unwinding of a thread that is cancelled goes on: it must not be stopped.
template <typename F>
[[nodiscard]] auto Contain(std::string_view what, F&& f) {
  using Result = std::invoke_result_t<F>;
  using Contained = std::conditional_t<std::is_void_v<Result>, absl::Status, Result>;
  try {
    if constexpr (std::is_void_v<Result>) {
      std::forward<F>(f)();
      return absl::OkStatus();
    } else {
      return Contained(std::forward<F>(f)());
    }
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return Contained(ThrownError(what));
  }
}

}  // namespace hapax

#endif  // HAPAX_BASE_CONTAIN_H_
