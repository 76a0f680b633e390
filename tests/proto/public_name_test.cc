#include "hapax/proto/public_name.h"

#include <string>

#include "gmock/gmock.h"
#include "google/longrunning/operations.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/health/health.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/external/reflection/reflection.pb.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"

// This program has google.rpc and google.longrunning as an application has them, too: that it starts is tested already.
namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;

TEST(PublicNameTest, OfWhatOthersPublishTooItIsTheirs) {
  const std::pair<const Descriptor*, std::string> expected[] = {
      {external::rpc::Status::descriptor(), "google.rpc.Status"},
      {external::rpc::BadRequest::FieldViolation::descriptor(), "google.rpc.BadRequest.FieldViolation"},
      {external::longrunning::Operation::descriptor(), "google.longrunning.Operation"},
      {external::health::HealthCheckRequest::descriptor(), "grpc.health.v1.HealthCheckRequest"},
      {external::reflection::ErrorResponse::descriptor(), "grpc.reflection.v1alpha.ErrorResponse"},
  };
  for (const auto& [type, name] : expected) {
    EXPECT_EQ(PublicName(type->full_name()), name);
    EXPECT_EQ(OwnName(name), type->full_name());
    EXPECT_EQ(PublicName(name), name);
  }
}

TEST(PublicNameTest, OfAnythingElseItIsTheSame) {
  for (const char* name : {"", "google", "google.rpc", "google.rpcs.Status", "google.protobuf.Any", "hapax.external",
                           "hapax.compute.v1.Instance", "my.google.rpc.Status"}) {
    EXPECT_EQ(PublicName(name), name);
    EXPECT_EQ(OwnName(name), name);
    EXPECT_EQ(PublicPath(name), name);
    EXPECT_EQ(OwnPath(name), name);
  }
}

TEST(PublicNameTest, OfAPathToo) {
  const std::pair<const Descriptor*, std::string> expected[] = {
      {external::rpc::Status::descriptor(), "google/rpc/status.proto"},
      {external::longrunning::Operation::descriptor(), "google/longrunning/operations.proto"},
      {external::health::HealthCheckRequest::descriptor(), "grpc/health/v1/health.proto"},
      {external::reflection::ErrorResponse::descriptor(), "grpc/reflection/v1alpha/reflection.proto"},
      {compute::v1::RunInstancesRequest::descriptor(), "hapax/compute/v1/compute.proto"},
  };
  for (const auto& [type, path] : expected) {
    EXPECT_EQ(PublicPath(type->file()->name()), path);
    EXPECT_EQ(OwnPath(path), type->file()->name());
  }
}

TEST(PublicNameTest, ATypeIsTheApplicationsOwnWhereThereIsOne) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  EXPECT_EQ(FindMessageType(pool, "google.longrunning.Operation"), google::longrunning::Operation::descriptor());
  EXPECT_EQ(FindMessageType(pool, "grpc.health.v1.HealthCheckRequest"),
            external::health::HealthCheckRequest::descriptor());
  EXPECT_EQ(FindMessageType(pool, "google.longrunning.None"), nullptr);
}

TEST(PublicNameTest, AnAnyIsTheSameAsTheApplications) {
  external::rpc::ErrorInfo info;
  info.set_reason("QUOTA");
  google::protobuf::Any any;
  Pack(info, any);
  google::rpc::ErrorInfo own;
  ASSERT_TRUE(any.UnpackTo(&own));
  EXPECT_EQ(own.reason(), "QUOTA");

  own.set_reason("OWN");
  any.PackFrom(own);
  EXPECT_TRUE(Holds(any, *external::rpc::ErrorInfo::descriptor()));
  EXPECT_FALSE(Holds(any, *external::rpc::RetryInfo::descriptor()));
  ASSERT_TRUE(Unpack(any, info));
  EXPECT_EQ(info.reason(), "OWN");
  external::rpc::RetryInfo retry;
  EXPECT_FALSE(Unpack(any, retry));
  any.set_value("\xff");
  EXPECT_FALSE(Unpack(any, info));
}

}  // namespace
}  // namespace hapax
