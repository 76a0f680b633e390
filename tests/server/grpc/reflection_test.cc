#include "hapax/server/grpc/reflection.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/external/reflection/reflection.pb.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/test/v1/jobs.pb.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/raw_stream.h"
#include "hapax/tests/server/support/service_host_fixture.h"

// Over a real connection, as grpcurl and its like ask.
namespace hapax {
namespace {

using external::reflection::ServerReflectionRequest;
using external::reflection::ServerReflectionResponse;
using google::protobuf::FileDescriptorProto;
using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Both versions of the protocol have the same messages.
class ReflectionTest : public ServiceHostTest, public testing::WithParamInterface<std::string> {
 protected:
  [[nodiscard]] std::string MethodPath() const {
    return "/grpc.reflection." + GetParam() + ".ServerReflection/ServerReflectionInfo";
  }
  static ServerReflectionResponse Ask(RawStream& stream, const std::string& request) {
    stream.Write(FromText<ServerReflectionRequest>(request).SerializeAsString());
    ServerReflectionResponse response;
    const std::optional<std::string> bytes = stream.Read();
    EXPECT_TRUE(bytes.has_value() && response.ParseFromString(*bytes)) << request;
    return response;
  }
  [[nodiscard]] ServerReflectionResponse Ask(const std::string& request) const {
    RawStream stream(Client(), MethodPath());
    ServerReflectionResponse response = Ask(stream, request);
    stream.WritesDone();
    EXPECT_TRUE(stream.Finish().ok());
    return response;
  }
};

std::vector<FileDescriptorProto> FilesIn(const ServerReflectionResponse& response) {
  std::vector<FileDescriptorProto> files;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    EXPECT_TRUE(files.emplace_back().ParseFromString(bytes));
  }
  return files;
}

std::vector<std::string> NamesIn(const ServerReflectionResponse& response) {
  std::vector<std::string> names;
  for (const FileDescriptorProto& file : FilesIn(response)) names.push_back(file.name());
  return names;
}

TEST_P(ReflectionTest, TheServicesAreListed) {
  const auto response = Ask("host: 'any' list_services: ''");
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_THAT(names, UnorderedElementsAre("hapax.test.v1.Ledger", "grpc.health.v1.Health",
                                          "grpc.reflection.v1alpha.ServerReflection"));
  EXPECT_EQ(response.valid_host(), "any");
  EXPECT_EQ(response.original_request().host(), "any");
  EXPECT_TRUE(response.original_request().has_list_services());
}

TEST_P(ReflectionTest, EveryServiceThatIsListedIsDescribed) {
  RawStream stream(Client(), MethodPath());
  const auto listed = Ask(stream, "list_services: ''");
  for (const auto& service : listed.list_services_response().service()) {
    EXPECT_THAT(FilesIn(Ask(stream, "file_containing_symbol: '" + service.name() + "'")),
                testing::Not(testing::IsEmpty()))
        << service.name();
  }
}

// A client builds its descriptors from nothing but the answer.
TEST_P(ReflectionTest, AFileComesWithAllThatItImportsBeforehandSoThatItCanBeBuilt) {
  const auto* expected = test::v1::DepositRequest::descriptor()->file();
  for (const char* request :
       {"file_by_filename: 'hapax/test/v1/ledger.proto'", "file_containing_symbol: 'hapax.test.v1.Ledger'",
        "file_containing_symbol: 'hapax.test.v1.Ledger.Deposit'",
        "file_containing_symbol: 'hapax.test.v1.DepositRequest'",
        "file_containing_symbol: 'hapax.test.v1.DepositRequest.memo'"}) {
    google::protobuf::DescriptorPool pool;
    const google::protobuf::FileDescriptor* built = nullptr;
    for (const FileDescriptorProto& file : FilesIn(Ask(request))) {
      built = pool.BuildFile(file);
      ASSERT_NE(built, nullptr) << request << ": " << file.name();
    }
    ASSERT_NE(built, nullptr) << request;
    EXPECT_EQ(built->DebugString(), expected->DebugString()) << request;
    FileDescriptorProto original;
    FileDescriptorProto answered;
    expected->CopyTo(&original);
    built->CopyTo(&answered);
    EXPECT_EQ(answered.SerializeAsString(), original.SerializeAsString()) << request;  // The rules, too.
  }
}

// The program has google.rpc and others under names of its own; nobody outside sees them.
TEST_P(ReflectionTest, WhatOthersPublishTooIsDescribedByItsPublicNames) {
  ASSERT_NE(test::v1::StartJobRequest::descriptor(), nullptr);  // Jobs is linked.
  google::protobuf::DescriptorPool pool;
  for (const char* request :
       {"file_containing_symbol: 'hapax.test.v1.Jobs'", "file_containing_symbol: 'google.longrunning.Operations'",
        "file_containing_symbol: 'google.rpc.Status'", "file_by_filename: 'google/rpc/status.proto'",
        "file_containing_symbol: 'grpc.health.v1.Health.Check'"}) {
    const auto files = FilesIn(Ask(request));
    EXPECT_FALSE(files.empty()) << request;
    for (const FileDescriptorProto& file : files) {
      EXPECT_EQ(file.DebugString().find("external"), std::string::npos) << request << ": " << file.DebugString();
      const bool is_new = pool.FindFileByName(file.name()) == nullptr;
      ASSERT_TRUE(!is_new || pool.BuildFile(file) != nullptr) << file.name();
    }
  }
  const auto* const start = pool.FindMethodByName("hapax.test.v1.Jobs.StartJob");
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->output_type()->full_name(), "google.longrunning.Operation");
  EXPECT_NE(pool.FindMethodByName("google.longrunning.Operations.WaitOperation"), nullptr);
  EXPECT_NE(pool.FindMethodByName("grpc.health.v1.Health.Watch"), nullptr);
}

TEST_P(ReflectionTest, WhatIsNotKnownIsNotFoundAndTheStreamGoesOn) {
  RawStream stream(Client(), MethodPath());
  for (const char* request :
       {"file_by_filename: 'none.proto'", "file_by_filename: ''", "file_containing_symbol: 'hapax.test.v1.None'",
        "file_containing_symbol: ''", "all_extension_numbers_of_type: 'hapax.test.v1.None'",
        "file_containing_extension {containing_type: 'hapax.test.v1.None' extension_number: 1}",
        "file_containing_extension {containing_type: 'google.protobuf.MethodOptions' extension_number: 1}",
        "file_containing_extension {containing_type: 'google.protobuf.MethodOptions' extension_number: -1}"}) {
    const auto response = Ask(stream, request);
    EXPECT_EQ(response.error_response().error_code(), static_cast<int>(grpc::StatusCode::NOT_FOUND)) << request;
    EXPECT_NE(response.error_response().error_message(), "") << request;
    EXPECT_EQ(response.original_request().SerializeAsString(),
              FromText<ServerReflectionRequest>(request).SerializeAsString());
  }
  EXPECT_EQ(Ask(stream, "host: 'nothing is asked'").error_response().error_code(),
            static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  EXPECT_THAT(NamesIn(Ask(stream, "file_by_filename: 'google/protobuf/duration.proto'")),
              ElementsAre("google/protobuf/duration.proto"));
  stream.WritesDone();
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_P(ReflectionTest, AnExtensionIsFoundByItsNumber) {
  const int rule = idempotency::v1::kRuleFieldNumber;
  const std::string number = std::to_string(rule);
  EXPECT_THAT(NamesIn(Ask("file_containing_extension {containing_type: 'google.protobuf.MethodOptions' "
                          "extension_number: " +
                          number + "}")),
              Contains("hapax/idempotency/v1/rule.proto"));
  const auto response = Ask("all_extension_numbers_of_type: 'google.protobuf.MethodOptions'");
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "google.protobuf.MethodOptions");
  EXPECT_THAT(response.all_extension_numbers_response().extension_number(), Contains(rule));
}

TEST_P(ReflectionTest, WhatIsNoRequestIsAnInvalidArgument) {
  RawStream stream(Client(), MethodPath());
  stream.Write("\x0A\x7F");
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_P(ReflectionTest, AClientWhoAsksNothingOrGoesAwayDisturbsNobody) {
  {
    RawStream silent(Client(), MethodPath());
    silent.WritesDone();
    EXPECT_TRUE(silent.Finish().ok());
    const RawStream idle(Client(), MethodPath());
    RawStream unread(Client(), MethodPath());
    unread.Write(FromText<ServerReflectionRequest>("list_services: ''").SerializeAsString());
  }
  host_->Drain(absl::InfiniteDuration());
}

// C32: strangers may ask.
TEST_P(ReflectionTest, C32_AQuestionThatIsTooLongEndsTheStream) {
  RawStream stream(Client(), MethodPath());
  ServerReflectionRequest request;
  request.set_file_containing_symbol(std::string(Reflection::kMaxQuestionBytes, 'x'));
  stream.Write(request.SerializeAsString());
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_P(ReflectionTest, C32_AStreamHasALimitOfQuestions) {
  RawStream stream(Client(), MethodPath());
  const std::string question = FromText<ServerReflectionRequest>("list_services: ''").SerializeAsString();
  for (int i = 0; i < Reflection::kMaxQuestions; ++i) {
    stream.Write(question);
    ASSERT_TRUE(stream.Read().has_value()) << i;
  }
  stream.Write(question);
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_P(ReflectionTest, AFilesAnswerIsTheSameTheSecondTime) {
  const std::string question = "host: 'h' file_containing_symbol: 'hapax.test.v1.Ledger'";
  EXPECT_EQ(Ask(question).SerializeAsString(), Ask(question).SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(Versions, ReflectionTest, testing::Values("v1", "v1alpha"),
                         [](const auto& version) { return version.param; });

}  // namespace
}  // namespace hapax
