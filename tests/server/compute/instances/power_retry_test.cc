#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/instances/power.h"
#include "hapax/tests/server/support/compute_server.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/temp_dir.h"

// StopInstance and StartInstance through the chain: a retry starts nothing, and gets the operation as it stands.
namespace hapax::compute {
namespace {

using external::longrunning::Operation;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// One instance that runs.
class PowerRetryTest : public testing::Test {
 protected:
  PowerRetryTest() {
    StartServer();
    const auto launched = server_->Call("RunInstances", FromText<v1::RunInstancesRequest>("image_id: 'ami-1'"));
    id_ = launched.As<v1::RunInstancesResponse>().instances(0).instance_id();
    Finish();
  }
  ~PowerRetryTest() override { EndServer(); }

  void StartServer() {
    server_ =
        std::make_unique<ComputeServer>(ComputeServer::Options{.data_dir = dir_.Path("data")}, hypervisor_, clock_);
    completed_ = 0;
  }
  void EndServer() {
    hypervisor_.Forget();
    server_.reset();
  }
  void Restart() {
    EndServer();
    StartServer();
  }

  ChainReply Stop(const std::string& token, const std::string& more = "") {
    return server_->Call("StopInstance", FromText<v1::StopInstanceRequest>("client_token: '" + token +
                                                                           "' instance_id: '" + id_ + "' " + more));
  }
  ChainReply Start(const std::string& token) {
    return server_->Call("StartInstance", FromText<v1::StartInstanceRequest>("client_token: '" + token +
                                                                             "' instance_id: '" + id_ + "'"));
  }
  // The hypervisor gets everything done, and that is written down.
  void Finish() {
    completed_ += hypervisor_.FinishBoots() + hypervisor_.FinishStops() + hypervisor_.FinishStarts() +
                  hypervisor_.FinishShutDowns();
    server_->AwaitCompleted(completed_);
  }
  v1::InstanceState State() { return server_->Instances().at(0).state(); }
  // The operation in the reply.
  static Operation OperationOf(const ChainReply& reply) { return reply.As<Operation>(); }

  const TempDir dir_;
  ManualClock clock_;
  HeldHypervisor hypervisor_;
  std::unique_ptr<ComputeServer> server_;
  int completed_ = 0;  // By this server.
  std::string id_;
};

TEST_F(PowerRetryTest, C24_ARetryStartsNothingAndGetsTheOperationAsItStands) {
  const ChainReply first = Stop("token");
  EXPECT_EQ(first.result, "executed");
  EXPECT_FALSE(OperationOf(first).done());

  const ChainReply early = Stop("token");
  EXPECT_EQ(early.result, "replayed");
  EXPECT_EQ(early.bytes, first.bytes);
  EXPECT_THAT(hypervisor_.stopping(), ElementsAre(id_));

  Finish();
  const ChainReply late = Stop("token");
  EXPECT_EQ(late.result, "replayed");
  EXPECT_EQ(OperationOf(late).name(), OperationOf(first).name());
  EXPECT_TRUE(OperationOf(late).done());
  v1::Instance stopped;
  ASSERT_TRUE(OperationOf(late).response().UnpackTo(&stopped));
  EXPECT_THAT(stopped, EqualsProto(server_->Instances().at(0)));
  EXPECT_EQ(stopped.state(), v1::INSTANCE_STATE_STOPPED);
  EXPECT_THAT(hypervisor_.stopping(), IsEmpty());
  EXPECT_THAT(server_->AllOperations(), ElementsAre(EqualsProto(OperationOf(late))));
}

// Yandex Cloud's example 2, and how its last sentence says that it ends.
//
//   client A                    client B
//   stops; the reply is lost
//                               starts it again
//   retries the stop
TEST_F(PowerRetryTest, C24_TheLateRetryOfAStopLeavesWhatSomebodyElseStartedRunning) {
  const Operation lost = OperationOf(Stop("a"));
  Finish();
  ASSERT_EQ(State(), v1::INSTANCE_STATE_STOPPED);
  ASSERT_EQ(Start("b").result, "executed");
  Finish();
  ASSERT_EQ(State(), v1::INSTANCE_STATE_RUNNING);

  const ChainReply retry = Stop("a");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(OperationOf(retry).name(), lost.name());
  EXPECT_TRUE(OperationOf(retry).has_response());
  EXPECT_EQ(State(), v1::INSTANCE_STATE_RUNNING);
  EXPECT_THAT(hypervisor_.stopping(), IsEmpty());
  EXPECT_EQ(server_->OpenWork(), 0);
}

TEST_F(PowerRetryTest, C24_TheLateRetryOfAStopDoesNotDisturbAStartThatIsUnderWay) {
  ASSERT_EQ(Stop("a").result, "executed");
  Finish();
  ASSERT_EQ(Start("b").result, "executed");
  EXPECT_TRUE(OperationOf(Stop("a")).done());
  EXPECT_FALSE(OperationOf(Start("b")).done());
  Finish();
  EXPECT_TRUE(OperationOf(Start("b")).done());
  EXPECT_EQ(State(), v1::INSTANCE_STATE_RUNNING);
}

TEST_F(PowerRetryTest, C3_WithoutATokenTheRaceIsLost) {
  ASSERT_EQ(Stop("").result, "unprotected");
  Finish();
  ASSERT_EQ(Start("").result, "unprotected");
  Finish();
  EXPECT_EQ(Stop("").result, "unprotected");
  EXPECT_EQ(State(), v1::INSTANCE_STATE_STOPPING);
}

TEST_F(PowerRetryTest, C14_C24_TheOperationIsReplayedAsItStandsAcrossRestarts) {
  const Operation first = OperationOf(Stop("token"));
  Restart();
  const ChainReply open = Stop("token");
  EXPECT_EQ(open.result, "replayed");
  EXPECT_THAT(OperationOf(open), EqualsProto(first));
  EXPECT_THAT(hypervisor_.stopping(), ElementsAre(id_)) << "once, by the resumed work";
  Finish();
  Restart();
  const ChainReply done = Stop("token");
  EXPECT_EQ(done.result, "replayed");
  EXPECT_EQ(OperationOf(done).name(), first.name());
  EXPECT_TRUE(OperationOf(done).has_response());
  EXPECT_THAT(hypervisor_.stopping(), IsEmpty());
}

TEST_F(PowerRetryTest, C16_C24_AnOperationThatFailedIsReplayedAsFailed) {
  const Operation first = OperationOf(Stop("token"));
  v1::TerminateInstancesRequest terminate;
  terminate.add_instance_ids(id_);
  ASSERT_EQ(server_->Call("TerminateInstances", terminate).result, "unprotected");
  Finish();
  ASSERT_EQ(State(), v1::INSTANCE_STATE_TERMINATED);
  const ChainReply retry = Stop("token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(OperationOf(retry).name(), first.name());
  EXPECT_TRUE(OperationOf(retry).has_error());
  EXPECT_EQ(Stop("new").result, "INCORRECT_INSTANCE_STATE");
}

TEST_F(PowerRetryTest, C11_C24_DuplicatesAtOnceAreOneOperation) {
  constexpr int kThreads = 8;
  std::vector<ChainReply> replies(kThreads);
  std::vector<std::thread> threads;
  for (ChainReply& reply : replies) threads.emplace_back([&] { reply = Stop("token"); });
  for (std::thread& thread : threads) thread.join();
  int executed = 0;
  for (const ChainReply& reply : replies) {
    executed += reply.result == "executed" ? 1 : 0;
    EXPECT_THAT(reply.result, testing::AnyOf("executed", "replayed"));
    EXPECT_EQ(OperationOf(reply).name(), OperationOf(replies[0]).name());
  }
  EXPECT_EQ(executed, 1);
  EXPECT_THAT(server_->AllOperations(), SizeIs(1));
  EXPECT_THAT(hypervisor_.stopping(), ElementsAre(id_));
}

TEST_F(PowerRetryTest, ACallThatWaitsIsAnsweredWhenTheWorkIsDone) {
  external::longrunning::WaitOperationRequest request;
  request.set_name(OperationOf(Stop("token")).name());
  const auto waiting = server_->Start("WaitOperation", request);
  EXPECT_FALSE(waiting->ended());
  Finish();
  EXPECT_THAT(ReplyTo(*waiting).As<Operation>(), EqualsProto(OperationOf(Stop("token"))));
}

}  // namespace
}  // namespace hapax::compute
