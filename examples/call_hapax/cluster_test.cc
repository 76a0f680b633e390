#include "cluster.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/wire/connection.h"
#include "hapax/compute/v1/compute.pb.h"

// Tests of the job without a server: the connection is the test's own.
namespace {

using namespace hapax::client;
using hapax::compute::v1::AllocateHostsRequest;
using hapax::compute::v1::AllocateHostsResponse;
using hapax::compute::v1::RunInstancesRequest;
using hapax::compute::v1::RunInstancesResponse;
using testing::ElementsAre;

// A connection to a server that does what Hapax promises: a token has one effect, and its retries get the first reply.
class FakeServer final : public Connection {
 public:
  // The effect number `effect` is made, but its reply is lost.
  void LoseReplyOf(size_t effect) { lost_ = effect; }
  // The process is killed before its next attempt arrives.
  void KillCaller() { kills_ = true; }
  [[nodiscard]] size_t effects() const { return records_.size(); }

  Cancel Start(Attempt attempt, Done done) override {
    if (kills_) raise(SIGKILL);
    std::move(done)(Answer(attempt));
    return [] {};
  }

 private:
  struct Record {
    std::string request;
    std::string reply;
  };

  AttemptEnd Answer(const Attempt& attempt) {
    const auto [token, reply] = Perform(attempt);
    const auto [record, is_new] = records_.try_emplace(token, Record{attempt.request, reply});
    EXPECT_EQ(record->second.request, attempt.request) << "another request under the token of an earlier one";
    if (is_new && records_.size() == lost_) return {.status = absl::UnavailableError("the connection broke")};
    return {.status = absl::OkStatus(),
            .reply = record->second.reply,
            .metadata = {{"hapax-outcome", is_new ? "executed" : "replayed"}}};
  }

  // Returns the token, and the reply of a first execution.
  std::pair<std::string, std::string> Perform(const Attempt& attempt) const {
    const std::string number = std::to_string(records_.size() + 1);
    if (attempt.method == "hapax.compute.v1.Compute/AllocateHosts") {
      AllocateHostsRequest request;
      EXPECT_TRUE(request.ParseFromString(attempt.request));
      AllocateHostsResponse response;
      response.add_host_ids("h-" + number);
      return {request.client_token(), response.SerializeAsString()};
    }
    EXPECT_EQ(attempt.method, "hapax.compute.v1.Compute/RunInstances");
    RunInstancesRequest request;
    EXPECT_TRUE(request.ParseFromString(attempt.request));
    RunInstancesResponse response;
    response.add_instances()->set_instance_id("i-" + number + " on " + request.placement().host_id());
    return {request.client_token(), response.SerializeAsString()};
  }

  size_t lost_ = 0;
  bool kills_ = false;
  std::map<std::string, Record> records_;  // By token.
};

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    std::string dir = testing::TempDir() + "/cluster.XXXXXX";
    if (mkdtemp(dir.data()) != nullptr) dir_ = dir;
  }
  ~ClusterTest() override { std::filesystem::remove_all(dir_); }
  void SetUp() override { ASSERT_FALSE(dir_.empty()); }

  // Runs the job `blue`, and returns what it reports. `attempts`: how often it tries each call.
  std::vector<std::string> Run(absl::StatusCode expected = absl::StatusCode::kOk, int attempts = 3) {
    Caller::Options options;
    options.retry.max_attempts = attempts;
    options.retry.initial_backoff = absl::ZeroDuration();
    Caller caller(server_, options);
    std::vector<std::string> lines;
    const absl::Status status = RunJob(caller, dir_ + "/journal", "blue", /*instances=*/2,
                                       [&](const std::string& line) { lines.push_back(line); });
    EXPECT_EQ(status.code(), expected) << status;
    return lines;
  }

  std::string dir_;
  const std::shared_ptr<FakeServer> server_ = std::make_shared<FakeServer>();
};

// googletest runs tests of this name first, as it forks: there are no threads yet.
using ClusterDeathTest = ClusterTest;

TEST_F(ClusterDeathTest, TheNextRunMakesTheCallThatAKilledRunLeftInTheJournal) {
  EXPECT_EXIT(
      {
        server_->KillCaller();
        Run();
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_THAT(Run(), ElementsAre("resumed hapax.compute.v1.Compute/AllocateHosts: executed", "host h-1: replayed",
                                 "instance i-2 on h-1: executed", "instance i-3 on h-1: executed"));
  EXPECT_EQ(server_->effects(), 3u);
}

TEST_F(ClusterTest, ASecondRunMakesNoStepAgain) {
  EXPECT_THAT(Run(),
              ElementsAre("host h-1: executed", "instance i-2 on h-1: executed", "instance i-3 on h-1: executed"));
  EXPECT_THAT(Run(),
              ElementsAre("host h-1: replayed", "instance i-2 on h-1: replayed", "instance i-3 on h-1: replayed"));
  EXPECT_EQ(server_->effects(), 3u);
}

TEST_F(ClusterTest, ALostReplyIsAskedForAgainWithTheSameToken) {
  server_->LoseReplyOf(2);
  EXPECT_THAT(Run(),
              ElementsAre("host h-1: executed", "instance i-2 on h-1: replayed", "instance i-3 on h-1: executed"));
  EXPECT_EQ(server_->effects(), 3u);
}

TEST_F(ClusterTest, TheNextRunResumesTheCallThatARunGaveUp) {
  server_->LoseReplyOf(2);
  EXPECT_THAT(Run(absl::StatusCode::kUnavailable, /*attempts=*/1), ElementsAre("host h-1: executed"));
  EXPECT_THAT(Run(), ElementsAre("resumed hapax.compute.v1.Compute/RunInstances: replayed", "host h-1: replayed",
                                 "instance i-2 on h-1: replayed", "instance i-3 on h-1: executed"));
  EXPECT_EQ(server_->effects(), 3u);
}

}  // namespace
