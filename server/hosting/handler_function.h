#ifndef HAPAX_SERVER_HOSTING_HANDLER_FUNCTION_H_
#define HAPAX_SERVER_HOSTING_HANDLER_FUNCTION_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace hapax {

// What a function is wanted as, for the compiler's error if it is another one.
struct AsFunction {
  template <bool kFits>
  static void Check() {
    static_assert(kFits, "the function has another signature than is wanted, or cannot be called as const");
  }
};
struct AsRead {
  template <bool kFits>
  static void Check() {
    static_assert(kFits,
                  "the handler of a read is absl::Status(const CallContext&, const ReadTransaction&, const Request&, "
                  "Reply*), callable as const (no mutable lambda)");
  }
};
struct AsMutation {
  template <bool kFits>
  static void Check() {
    static_assert(
        kFits,
        "the handler of a mutation is absl::Status(const CallContext&, Transaction&, const Request&, Reply*), "
        "callable as const (no mutable lambda)");
  }
};
struct AsSqlMutation {
  template <bool kFits>
  static void Check() {
    static_assert(
        kFits,
        "the handler of an SQL mutation is absl::Status(const CallContext&, SqlConnection&, const Request&, Reply*), "
        "callable as const (no mutable lambda)");
  }
};
struct AsPreparation {
  template <bool kFits>
  static void Check() {
    static_assert(kFits,
                  "a preparation is absl::StatusOr<Prepared>(const CallContext&, const Request&), callable as const "
                  "(no mutable lambda)");
  }
};
struct AsPreparedMutation {
  template <bool kFits>
  static void Check() {
    static_assert(
        kFits,
        "the handler of a prepared mutation is absl::Status(const CallContext&, Transaction&, const Request&, "
        "const Prepared&, Reply*), callable as const (no mutable lambda)");
  }
};
struct AsStreamingRead {
  template <bool kFits>
  static void Check() {
    static_assert(kFits,
                  "the handler of a streaming read is absl::StatusOr<bool>(const CallContext&, const ReadTransaction&, "
                  "const Request&, std::string* cursor, Reply*), callable as const (no mutable lambda)");
  }
};
struct AsCanonicalizer {
  template <bool kFits>
  static void Check() {
    static_assert(kFits, "a canonicalizer is void(Request*), callable as const (no mutable lambda)");
  }
};

// An absl::AnyInvocable that is null if made from an empty std::function. A plain AnyInvocable is not, and throws when
// called. A function that does not fit the signature is an error of compilation that says which one is wanted.
template <typename Signature, typename Wanted = AsFunction>
class HandlerFunction : public absl::AnyInvocable<Signature> {
  using Base = absl::AnyInvocable<Signature>;

 public:
  HandlerFunction() = default;
  HandlerFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as AnyInvocable.
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload): as AnyInvocable; constrained.
  template <typename Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, HandlerFunction>) HandlerFunction(Function&& function)
      : Base(ToBase(std::forward<Function>(function))) {}
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

 private:
  template <typename Function>
  static Base ToBase(Function&& function) {
    constexpr bool kFits = std::constructible_from<Base, Function>;
    Wanted::template Check<kFits>();
    if constexpr (kFits) {
      return IsEmpty(function) ? Base() : Base(std::forward<Function>(function));
    } else {
      return Base();
    }
  }
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
