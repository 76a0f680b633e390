#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/tests/interceptors/idempotency/golden_records.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Records of compute calls, with fingerprints of each version, and today's compute service (C22): its definitions,
// rules and canonical forms.
namespace hapax::compute {
namespace {

using testing::SizeIs;

constexpr int kGoldenCount = 15;

class ComputeGoldenTest : public testing::Test {
 protected:
  static std::vector<GoldenRecord> Version1() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/compute_v1.txt"); }

  static std::vector<GoldenRecord> Version2() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/compute_v2.txt"); }

  static GoldenRecord Named(const std::string& name) {
    for (const auto& records : {Version1(), Version2()}) {
      for (const GoldenRecord& golden : records) {
        if (golden.name == name) return golden;
      }
    }
    ADD_FAILURE() << name;
    return {};
  }

  const Method& MethodOf(const GoldenRecord& golden) const {
    const auto& methods = compute_.hosted().methods();
    const auto found = std::find_if(methods.begin(), methods.end(),
                                    [&](const Method& method) { return method.name == golden.method; });
    EXPECT_NE(found, methods.end()) << golden.method;
    return *found;
  }

  // Today's server, with that record in its store.
  void Take(const GoldenRecord& golden) {
    compute_.clock().Set(FromTimestamp(golden.record.executed_at()) + absl::Hours(1));
    const Method& method = MethodOf(golden);
    const std::unique_ptr<google::protobuf::Message> request(method.request->New());
    ASSERT_TRUE(request->ParseFromString(golden.request));
    const auto place = method.rule->ResolvePlace(*request, kDefaultRegion);
    ASSERT_THAT(place, IsOk());
    ASSERT_THAT(Execute(compute_.store(),
                        [&](Transaction& txn) {
                          PutToken(txn,
                                   {.tenant = "default",
                                    .region = place->region,
                                    .zone = place->zone,
                                    .token = std::string(method.rule->token_field().Read(*request))},
                                   golden.record);
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  // The answer to the request that is on record, when it is spelled like that.
  Answer Retry(const GoldenRecord& golden, const google::protobuf::Message& request) {
    Take(golden);
    return chain_.Call(MethodOf(golden), request);
  }

  TestCompute compute_;
  const TestChain chain_{compute_.store(), {.clock = &compute_.clock()}};
};

TEST_F(ComputeGoldenTest, C22_Version1IsMadeAsItWas) {
  EXPECT_THAT(Version1(), SizeIs(kGoldenCount));
  for (const GoldenRecord& golden : Version1()) ExpectMadeTheSame(golden, MethodOf(golden));
}

TEST_F(ComputeGoldenTest, C22_Version2IsMadeAsItWas) {
  EXPECT_THAT(Version2(), SizeIs(6));
  for (const GoldenRecord& golden : Version2()) {
    v1::RunInstancesRequest defaults;
    defaults.set_instance_type("m5.large");
    if (golden.name.find("subnet") != std::string::npos) {
      defaults.mutable_placement()->set_availability_zone("us-east-1b");
    }
    ExpectMadeTheSame(golden, MethodOf(golden), &defaults);
  }
}

TEST_F(ComputeGoldenTest, C22_ATrueRetryIsTheSameInAnyEncoding) {
  for (const auto& records : {Version1(), Version2()}) {
    for (const GoldenRecord& golden : records) {
      SCOPED_TRACE(golden.name);
      ExpectRetryIsTheSame(golden, MethodOf(golden));
    }
  }
}

TEST_F(ComputeGoldenTest, C22_ARetryMaySayWhatADefaultWas) {
  const auto retry = [&](const std::string& name, const std::string& more) {
    return Retry(Named(name),
                 FromText<v1::RunInstancesRequest>("image_id: 'ami-1' client_token: '" + name + "' " + more))
        .result;
  };
  for (const char* name : {"run-default-type", "run-spelled-type"}) {
    EXPECT_EQ(retry(name, ""), "replayed");
    EXPECT_EQ(retry(name, "instance_type: 'm5.large'"), "replayed");
    EXPECT_EQ(retry(name, "instance_type: 'm5.xlarge'"), "IDEMPOTENT_PARAMETER_MISMATCH");
  }
  EXPECT_EQ(retry("run-other-type", ""), "IDEMPOTENT_PARAMETER_MISMATCH");
  for (const char* name : {"run-on-a-subnet", "run-on-a-subnet-and-zone"}) {
    EXPECT_EQ(retry(name, "subnet_id: 'subnet-b'"), "replayed");
    EXPECT_EQ(retry(name, "subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' }"), "replayed");
  }
  EXPECT_EQ(retry("run-on-a-subnet-and-host",
                  "subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' host_id: 'h-01' }"),
            "replayed");
}

TEST_F(ComputeGoldenTest, C10_AChangedParameterIsNamed) {
  for (const char* name : {"run-zonal", "run-host", "run-with-a-later-field", "allocate", "release", "keypair",
                           "delete-keypair", "terminate", "start", "stop"}) {
    SCOPED_TRACE(name);
    ExpectEachFieldCounts(Named(name), MethodOf(Named(name)));
  }
}

TEST_F(ComputeGoldenTest, C9_TheChainRepliesWithWhatTheEarlierServerRecorded) {
  const std::string before = compute_.Rows();
  for (const GoldenRecord& golden : Version1()) {
    if (MethodOf(golden).refresh != nullptr) continue;  // Their records hold operations.
    SCOPED_TRACE(golden.name);
    Take(golden);
    FakeCall retry(MethodOf(golden), golden.request);
    const Answer answer = chain_.Call(retry);
    EXPECT_EQ(answer.result, "replayed") << answer.status;
    EXPECT_EQ(answer.bytes, "the reply of " + golden.name);
  }
  EXPECT_EQ(compute_.Rows(), before);
}

TEST_F(ComputeGoldenTest, C22_ARetryThatSpellsOutWhatIsImpliedIsTheSame) {
  EXPECT_EQ(Retry(Named("run-defaults"), FromText<v1::RunInstancesRequest>("client_token: 'run-defaults' "
                                                                           "image_id: 'ami-1'"))
                .result,
            "replayed");
  EXPECT_EQ(Retry(Named("run-regional"), FromText<v1::RunInstancesRequest>("client_token: 'run-regional' "
                                                                           "region: 'us-east-1' image_id: 'ami-1' "
                                                                           "min_count: 3 max_count: 3"))
                .result,
            "replayed");
  EXPECT_EQ(Retry(Named("run-host"),
                  FromText<v1::RunInstancesRequest>("client_token: 'run-host' image_id: 'ami-1' "
                                                    "placement { availability_zone: 'us-east-1b' host_id: 'h-01' }"))
                .result,
            "replayed");
  EXPECT_EQ(Retry(Named("allocate-defaults"),
                  FromText<v1::AllocateHostsRequest>("client_token: 'allocate-defaults' region: 'eu-west-1' "
                                                     "availability_zone: 'eu-west-1a' instance_type: 'm5.large'"))
                .result,
            "replayed");
  EXPECT_EQ(Retry(Named("keypair-defaults"),
                  FromText<v1::CreateKeypairRequest>("client_token: 'keypair-defaults' key_name: 'key'"))
                .result,
            "replayed");
}

TEST_F(ComputeGoldenTest, C10_OneThatMeansSomethingElseIsAMismatch) {
  const Answer answer =
      Retry(Named("run-regional"),
            FromText<v1::RunInstancesRequest>("client_token: 'run-regional' region: 'us-east-1' image_id: 'ami-1' "
                                              "min_count: 3 max_count: 4"));
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(FieldsOf(answer.status), testing::ElementsAre("max_count"));
}

}  // namespace
}  // namespace hapax::compute
