#include "hapax/base/message_check.h"

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using external::rpc::BadRequest;
using external::rpc::ErrorInfo;
using google::protobuf::FileDescriptorProto;
using google::protobuf::UninterpretedOption;

constexpr char kInvalid[] = "\xFF";

TEST(SerializeTest, WhatIsWellFormedIsSerialized) {
  ErrorInfo info;
  info.set_reason("na\xC3\xAFve");
  (*info.mutable_metadata())["cl\xC3\xA9"] = "val";
  const absl::StatusOr<std::string> bytes = Serialize(info);
  ASSERT_THAT(bytes, IsOk());
  ErrorInfo parsed;
  ASSERT_TRUE(parsed.ParseFromString(*bytes));
  EXPECT_EQ(parsed.reason(), info.reason());
}

TEST(SerializeTest, AStringThatIsNotUtf8IsNamed) {
  BadRequest request;
  request.add_field_violations()->set_field("fine");
  request.add_field_violations()->set_description(kInvalid);
  EXPECT_THAT(Serialize(request),
              StatusIs(absl::StatusCode::kInternal,
                       "hapax.external.rpc.BadRequest: field_violations.description: must be UTF-8"));
}

TEST(SerializeTest, SoIsAMapsKeyOrValue) {
  ErrorInfo info;
  (*info.mutable_metadata())["key"] = kInvalid;
  EXPECT_THAT(Serialize(info),
              StatusIs(absl::StatusCode::kInternal, "hapax.external.rpc.ErrorInfo: metadata.value: must be UTF-8"));
  info.clear_metadata();
  (*info.mutable_metadata())[kInvalid] = "value";
  EXPECT_THAT(Serialize(info),
              StatusIs(absl::StatusCode::kInternal, "hapax.external.rpc.ErrorInfo: metadata.key: must be UTF-8"));
}

TEST(SerializeTest, BytesNeedNotBeText) {
  UninterpretedOption option;
  option.set_string_value(kInvalid);
  EXPECT_THAT(Serialize(option), IsOk());
  option.set_identifier_value(kInvalid);
  EXPECT_THAT(Serialize(option), StatusIs(absl::StatusCode::kInternal));
}

TEST(SerializeTest, ARequiredFieldIsNamed) {
  FileDescriptorProto file;
  file.mutable_options()->add_uninterpreted_option()->add_name()->set_name_part("part");
  const absl::Status status = Serialize(file).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal,
                               "google.protobuf.FileDescriptorProto: "
                               "options.uninterpreted_option[0].name[0].is_extension: must be set"));
}

TEST(SerializeTest, UnknownFieldsAreAnyBytes) {
  ErrorInfo info;
  ErrorInfo::GetReflection()->MutableUnknownFields(&info)->AddLengthDelimited(1000, kInvalid);
  auto* group = ErrorInfo::GetReflection()->MutableUnknownFields(&info)->AddGroup(1001);
  group->AddLengthDelimited(1, kInvalid);
  group->AddVarint(2, ~uint64_t{0});
  info.set_domain("after");
  EXPECT_THAT(Serialize(info), IsOk());
}

TEST(SerializeTest, ATypeWithinItselfIsLookedThrough) {
  google::protobuf::DescriptorProto message;
  message.add_nested_type()->add_nested_type()->add_field()->set_name(kInvalid);
  EXPECT_THAT(Serialize(message),
              StatusIs(absl::StatusCode::kInternal,
                       "google.protobuf.DescriptorProto: nested_type.nested_type.field.name: must be UTF-8"));
}

}  // namespace
}  // namespace hapax
