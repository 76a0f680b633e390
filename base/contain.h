#ifndef HAPAX_BASE_CONTAIN_H_
#define HAPAX_BASE_CONTAIN_H_

#include <cxxabi.h>

#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"

namespace hapax {

// Returns the current exception as INTERNAL "`what` threw TYPE: TEXT". Requires: called in a catch block.
[[nodiscard]] absl::Status ThrownError(std::string_view what);

// Calls foreign code that may throw, such as a handler:
//
//   absl::Status done = Contain("handler of Charge", [&] { return handler(context, txn, request, reply); });
//
// Returns the result of `f`: a Status, a StatusOr, or OK for void. An exception of any type becomes ThrownError(what).
// The unwinding of a cancelled thread continues, since it must not be stopped.
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
