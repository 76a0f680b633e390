#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/timestamps.h"
#include "hapax/storage/token_table.h"
#include "hapax/tests/interceptors/golden_records.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Records of compute calls, with fingerprints of version 1, and today's compute service (C22): its definitions, rules
// and canonical forms.
namespace hapax::compute {
namespace {

using testing::SizeIs;

constexpr int kGoldenCount = 15;

class ComputeGoldenTest : public testing::Test {
 protected:
  static std::vector<GoldenRecord> Version1() { return ReadGoldenRecords(HAPAX_GOLDEN_DIR "/compute_v1.txt"); }

  static GoldenRecord Named(const std::string& name) {
    for (const GoldenRecord& golden : Version1()) {
      if (golden.name == name) return golden;
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

TEST_F(ComputeGoldenTest, C22_ATrueRetryIsTheSameInAnyEncoding) {
  for (const GoldenRecord& golden : Version1()) {
    SCOPED_TRACE(golden.name);
    ExpectRetryIsTheSame(golden, MethodOf(golden));
  }
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
