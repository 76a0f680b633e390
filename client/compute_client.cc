#include "hapax/client/compute_client.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace hapax::client {

const google::protobuf::MethodDescriptor& ComputeClient::Method(std::string_view name) {
  static const auto* const kService =
      compute::v1::RunInstancesRequest::descriptor()->file()->FindServiceByName("Compute");
  const auto* const method = kService->FindMethodByName(std::string(name));
  if (method == nullptr) {
    std::fprintf(stderr, "%s has no method %s\n", kService->full_name().c_str(), std::string(name).c_str());
    std::abort();
  }
  return *method;
}

}  // namespace hapax::client
