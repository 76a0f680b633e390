#ifndef HAPAX_TESTS_SUPPORT_TEST_METHODS_H_
#define HAPAX_TESTS_SUPPORT_TEST_METHODS_H_

#include "google/protobuf/descriptor.h"
#include "hapax/interceptors/method.h"
#include "hapax/interceptors/rule.h"

namespace hapax {

// The method with its rule compiled, but without code. `resolvers` outlive it.
// Requires: the declaration is valid.
[[nodiscard]] Method MakeMethod(const google::protobuf::MethodDescriptor& descriptor,
                                const ScopeResolvers& resolvers = {});

// The method `name` of the service `service`, declared in the same file as the message type `Message`.
template <typename Message>
[[nodiscard]] const google::protobuf::MethodDescriptor& MethodOf(const char* service, const char* name) {
  return *Message::descriptor()->file()->FindServiceByName(service)->FindMethodByName(name);
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TEST_METHODS_H_
