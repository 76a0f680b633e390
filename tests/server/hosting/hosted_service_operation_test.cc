#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/test/v1/jobs.pb.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/operations_fixture.h"
#include "hapax/tests/server/support/proto_text.h"

// What a retry is answered with is its method's rule to say (C24): the handlers here are one and the same.
namespace hapax {
namespace {

using test::v1::StartJobRequest;
using testing::HasSubstr;

const google::protobuf::ServiceDescriptor& Jobs() {
  return *StartJobRequest::descriptor()->file()->FindServiceByName("Jobs");
}

class HostedServiceOperationTest : public OperationsTest {
 protected:
  HostedServiceOperationTest() : hosted_(Jobs()) {
    AddHandlers(hosted_);
    hosted_.SetOperationRefresher(Operations::Refresh);
    EXPECT_THAT(hosted_.Compile(), IsOk());
  }

  void AddHandlers(HostedService& service) {
    for (const char* method : {"StartJob", "StartJobVerbatim"}) {
      service.Mutation<StartJobRequest, Operation>(method, [this](const CallContext& context, Transaction& txn,
                                                                  const StartJobRequest& request, Operation* response) {
        auto begun = operations_.Begin(txn, context, request);
        if (begun.ok()) *response = *std::move(begun);
        return begun.status();
      });
    }
  }
  ChainReply Start(const std::string& method, const std::string& tenant = kTenant) {
    return client_.Call(method, FromText<StartJobRequest>("client_token: 'token' job: 'sweep'"), tenant);
  }

  const ManualClock clock_;
  HostedService hosted_;
  const ChainClient client_{*store_, clock_, {&hosted_}};
};

TEST_F(HostedServiceOperationTest, C24_UnderARuleForItARetryGetsTheOperationAsItStands) {
  const ChainReply first = Start("StartJob");
  ASSERT_EQ(first.result, "executed");
  EXPECT_EQ(Start("StartJob").bytes, first.bytes);
  const auto begun = first.As<Operation>();
  ASSERT_THAT(Succeed(begun.name()), IsOk());
  const ChainReply retry = Start("StartJob");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.As<Operation>().name(), begun.name());
  EXPECT_TRUE(retry.As<Operation>().done());
  EXPECT_THAT(Get(begun.name()), IsOkAndHolds(EqualsProto(retry.As<Operation>())));
}

TEST_F(HostedServiceOperationTest, C9_WithoutOneARetryGetsTheFirstReplyVerbatim) {
  const ChainReply first = Start("StartJobVerbatim");
  ASSERT_EQ(first.result, "executed");
  ASSERT_THAT(Succeed(first.As<Operation>().name()), IsOk());
  const ChainReply retry = Start("StartJobVerbatim");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
}

TEST_F(HostedServiceOperationTest, C4_TheSameTokenOfAnotherTenantIsAnotherOperation) {
  const ChainReply mine = Start("StartJob");
  const ChainReply theirs = Start("StartJob", kOtherTenant);
  EXPECT_EQ(theirs.result, "executed");
  ASSERT_THAT(Succeed(mine.As<Operation>().name()), IsOk());
  EXPECT_EQ(Start("StartJob", kOtherTenant).bytes, theirs.bytes);
}

TEST_F(HostedServiceOperationTest, ARuleForItNeedsAServiceThatHasOperations) {
  HostedService without(Jobs());
  AddHandlers(without);
  EXPECT_THAT(without.Compile(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("Jobs/StartJob"), HasSubstr("SetOperationRefresher"))));
}

}  // namespace
}  // namespace hapax
