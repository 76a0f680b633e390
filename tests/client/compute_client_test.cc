#include "hapax/client/compute_client.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::client {
namespace {

class ComputeClientTest : public CallerFixture {
 protected:
  // Calls a method with an empty request: it goes to `name`, with a token when it mutates, and is retried.
  template <typename Request, typename Function>
  void ExpectCalls(const std::string& name, bool mutates, Function method) {
    SCOPED_TRACE(name);
    const size_t first = network->count();
    network->Next(Lost());
    network->Next(Replied(""));
    const auto result = (compute.*method)(Request(), {});
    EXPECT_THAT(result.reply, IsOk());
    EXPECT_EQ(result.info.attempts, 2);
    EXPECT_EQ(!result.info.token.empty(), mutates);
    for (size_t i = first; i < network->count(); ++i) {
      const Attempt& attempt = network->attempt(i).attempt;
      EXPECT_EQ(attempt.method, "hapax.compute.v1.Compute/" + name);
      EXPECT_EQ(attempt.request, network->attempt(first).attempt.request);
      EXPECT_NE(attempt.request.find(result.info.token), std::string::npos);
    }
    called_.insert(name);
  }

  ComputeClient compute{caller};
  std::set<std::string> called_;
};

TEST_F(ComputeClientTest, EachMethodIsCalledByItsNameAndIsRetried) {
  using namespace compute::v1;  // NOLINT(google-build-using-namespace): a dozen of its messages.
  constexpr bool kMutates = true;
  constexpr bool kReads = false;
  using C = ComputeClient;
  ExpectCalls<RunInstancesRequest>("RunInstances", kMutates, &C::RunInstances);
  ExpectCalls<TerminateInstancesRequest>("TerminateInstances", kMutates, &C::TerminateInstances);
  ExpectCalls<StartInstanceRequest>("StartInstance", kMutates, &C::StartInstance);
  ExpectCalls<StopInstanceRequest>("StopInstance", kMutates, &C::StopInstance);
  ExpectCalls<AllocateHostsRequest>("AllocateHosts", kMutates, &C::AllocateHosts);
  ExpectCalls<ReleaseHostsRequest>("ReleaseHosts", kMutates, &C::ReleaseHosts);
  ExpectCalls<CreateKeypairRequest>("CreateKeypair", kMutates, &C::CreateKeypair);
  ExpectCalls<DeleteKeypairRequest>("DeleteKeypair", kMutates, &C::DeleteKeypair);
  ExpectCalls<DescribeInstancesRequest>("DescribeInstances", kReads, &C::DescribeInstances);
  ExpectCalls<DescribeHostsRequest>("DescribeHosts", kReads, &C::DescribeHosts);
  ExpectCalls<DescribeKeypairsRequest>("DescribeKeypairs", kReads, &C::DescribeKeypairs);
  ExpectCalls<DescribeSubnetsRequest>("DescribeSubnets", kReads, &C::DescribeSubnets);
  ExpectCalls<DescribeAvailabilityZonesRequest>("DescribeAvailabilityZones", kReads, &C::DescribeAvailabilityZones);

  const auto& service = *RunInstancesRequest::descriptor()->file()->FindServiceByName("Compute");
  for (int i = 0; i < service.method_count(); ++i) {
    EXPECT_TRUE(called_.contains(service.method(i)->name())) << service.method(i)->name();
  }
}

TEST_F(ComputeClientTest, ARequestGoesAndAReplyComesBackWhole) {
  network->Next(Replied(Launched("r-1"), "replayed"));
  compute::v1::RunInstancesRequest request;
  request.set_client_token("mine");
  request.set_image_id("image");
  const auto result = compute.RunInstances(request);
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->reservation_id(), "r-1");
  EXPECT_EQ(result.info.outcome, Outcome::kReplayed);
  EXPECT_EQ(SentToken(0), "mine");
}

TEST_F(ComputeClientTest, OptionsAreThoseOfTheCaller) {
  network->Next(Lost());
  const auto result = compute.CreateKeypair({}, {.retry = {}, .token = "", .unprotected = true});
  EXPECT_EQ(result.info.attempts, 1);
  EXPECT_EQ(result.info.token, "");
}

TEST(ComputeClientDeathTest, AMethodThatThereIsNotEndsTheProcess) {
  EXPECT_DEATH(static_cast<void>(ComputeClient::Method("MakeCoffee")), "Compute has no method MakeCoffee");
}

}  // namespace
}  // namespace hapax::client
