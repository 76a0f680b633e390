#include "hapax/client/compute_client.h"

#include <string>

namespace hapax::client {

const google::protobuf::MethodDescriptor& ComputeClient::Method(std::string_view name) {
  static const auto* const kService =
      compute::v1::RunInstancesRequest::descriptor()->file()->FindServiceByName("Compute");
  return *kService->FindMethodByName(std::string(name));
}

}  // namespace hapax::client
