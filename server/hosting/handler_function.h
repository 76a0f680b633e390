#ifndef HAPAX_SERVER_HOSTING_HANDLER_FUNCTION_H_
#define HAPAX_SERVER_HOSTING_HANDLER_FUNCTION_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace hapax {

// An absl::AnyInvocable that is null if made from an empty std::function. A plain AnyInvocable is not, and throws when
// called.
template <typename Signature>
class HandlerFunction : public absl::AnyInvocable<Signature> {
  using Base = absl::AnyInvocable<Signature>;

 public:
  HandlerFunction() = default;
  HandlerFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as AnyInvocable.
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload): as AnyInvocable; constrained.
  template <typename Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, HandlerFunction> && std::constructible_from<Base, Function>)
      HandlerFunction(Function&& function)
      : Base(IsEmpty(function) ? Base() : Base(std::forward<Function>(function))) {}
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

 private:
  template <typename Other>
  static bool IsEmpty(const std::function<Other>& function) {
    return function == nullptr;
  }
  template <typename Function>
  static bool IsEmpty(const Function& /*function*/) {
    return false;
  }
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_HANDLER_FUNCTION_H_
