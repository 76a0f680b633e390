#include "hapax/tests/support/test_methods.h"

#include <utility>

#include "google/protobuf/message.h"

namespace hapax {

Method MakeMethod(const google::protobuf::MethodDescriptor& descriptor, const ScopeResolvers& resolvers) {
  auto* const prototypes = google::protobuf::MessageFactory::generated_factory();
  Method method;
  method.name = descriptor.service()->full_name() + "/" + descriptor.name();
  method.descriptor = &descriptor;
  method.request = prototypes->GetPrototype(descriptor.input_type());
  method.reply = prototypes->GetPrototype(descriptor.output_type());
  method.rule = Rule::Compile(descriptor, resolvers).value();
  method.required_role = RequiredRole(descriptor);
  return method;
}

}  // namespace hapax
