#ifndef HAPAX_TESTS_SERVER_SUPPORT_MADE_SERVICE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_MADE_SERVICE_H_

#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/proto_text.h"

namespace hapax {

// A service `Made` with one method, `Change`, that takes a DepositRequest (ledger.proto) and has these options.
//
//   const MadeService made(ReadOptions());
//   HostedService hosted(made.descriptor());
class MadeService {
 public:
  explicit MadeService(const google::protobuf::MethodOptions& options,
                       const std::string& reply = ".hapax.test.v1.DepositResponse", bool streams = false)
      : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    auto file = FromText<google::protobuf::FileDescriptorProto>(R"(
      name: "made.proto" package: "hapax.test.v1" syntax: "proto3" dependency: "hapax/test/v1/ledger.proto"
      service { name: "Made" method { name: "Change" input_type: ".hapax.test.v1.DepositRequest"
                                    } }
    )");
    file.add_dependency("hapax/external/longrunning/operations.proto");
    file.mutable_service(0)->mutable_method(0)->set_output_type(reply);
    *file.mutable_service(0)->mutable_method(0)->mutable_options() = options;
    file.mutable_service(0)->mutable_method(0)->set_server_streaming(streams);
    descriptor_ = pool_.BuildFile(file)->FindServiceByName("Made");
  }
  [[nodiscard]] const google::protobuf::ServiceDescriptor& descriptor() const { return *descriptor_; }

 private:
  google::protobuf::DescriptorPool pool_;
  const google::protobuf::ServiceDescriptor* descriptor_ = nullptr;
};

[[nodiscard]] inline google::protobuf::MethodOptions ReadOptions() {
  google::protobuf::MethodOptions options;
  options.set_idempotency_level(google::protobuf::MethodOptions::NO_SIDE_EFFECTS);
  return options;
}

[[nodiscard]] inline google::protobuf::MethodOptions IdempotentOptions() {
  google::protobuf::MethodOptions options;
  options.set_idempotency_level(google::protobuf::MethodOptions::IDEMPOTENT);
  return options;
}

// `rule` is in protobuf's text format.
[[nodiscard]] inline google::protobuf::MethodOptions RuleOptions(const std::string& rule) {
  google::protobuf::MethodOptions options;
  *options.MutableExtension(idempotency::v1::rule) = FromText<idempotency::v1::IdempotencyRule>(rule);
  return options;
}

// The least that a rule says.
inline constexpr char kRule[] = "token_field: 'client_token' scope { region_field: 'region' }";

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_MADE_SERVICE_H_
