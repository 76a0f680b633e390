#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "google/longrunning/operations.pb.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/test/v1/jobs.pb.h"
#include "hapax/testing/test_host.h"
#include "hapax/tests/support/status_matchers.h"

// Work that a hosted service schedules, on a host in memory.
namespace hapax {
namespace {

using absl::StatusCode;
using external::longrunning::GetOperationRequest;
using external::longrunning::Operation;
using external::longrunning::WaitOperationRequest;
using test::v1::StartJobRequest;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kKind[] = "test.job";
constexpr char kService[] = "hapax.test.v1.Jobs";
constexpr char kTenant[] = "default";

// A service whose jobs are operations, as an embedder writes it.
class Jobs final : public WorkDriver {
 public:
  explicit Jobs(TestHost& host)
      : host_(host), hosted_(*StartJobRequest::descriptor()->file()->FindServiceByName("Jobs")) {
    for (const char* method : {"StartJob", "StartJobVerbatim"}) {
      hosted_.Mutation<StartJobRequest, Operation>(
          method, [this](const CallContext& context, Transaction& txn, const StartJobRequest& request,
                         Operation* operation) { return Start(context, txn, request, operation); });
    }
    hosted_.SetOperationRefresher(Operations::Refresh);
    host.AddDriver(kKind, kService, *this);
  }

  [[nodiscard]] HostedService& hosted() { return hosted_; }
  // The next times that work is performed it is UNAVAILABLE.
  void FailTimes(int times) {
    absl::MutexLock lock(&mu_);
    failures_left_ = times;
  }
  // Work is never done.
  void Hold() {
    absl::MutexLock lock(&mu_);
    is_holding_ = true;
  }
  void MakeUnrepeatable() { counts_completions_ = true; }
  // The next call schedules work of a kind without a driver, and ignores the error.
  void IgnoreAnError() { ignores_an_error_ = true; }
  [[nodiscard]] std::vector<Done> TakeHeld() {
    absl::MutexLock lock(&mu_);
    return std::exchange(held_, {});
  }

  void Perform(const std::string& /*subject*/, Done done) override {
    absl::Status result;
    {
      absl::MutexLock lock(&mu_);
      if (is_holding_) return held_.push_back(std::move(done));
      if (failures_left_ > 0) {
        --failures_left_;
        result = absl::UnavailableError("not now");
      }
    }
    std::move(done)(std::move(result));
  }
  [[nodiscard]] absl::Status Complete(const std::string& subject, const absl::Status& result,
                                      Transaction& txn) override {
    if (!result.ok()) return host_.operations().Fail(txn, kTenant, subject, result);
    StartJobRequest response;
    response.set_job(absl::StrCat("done", counts_completions_ ? ++completions_ : 0));
    return host_.operations().Succeed(txn, kTenant, subject, response);
  }

 private:
  absl::Status Start(const CallContext& context, Transaction& txn, const StartJobRequest& request,
                     Operation* operation) {
    HAPAX_ASSIGN_OR_RETURN(*operation, host_.operations().Begin(txn, context, request));
    if (ignores_an_error_) static_cast<void>(host_.work().Schedule(txn, "test.none", operation->name()));
    return host_.work().Schedule(txn, kKind, operation->name());
  }

  TestHost& host_;
  HostedService hosted_;
  bool ignores_an_error_ = false;
  bool counts_completions_ = false;
  int completions_ = 0;
  absl::Mutex mu_;
  int failures_left_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_holding_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Done> held_ ABSL_GUARDED_BY(mu_);
};

class TestHostWorkTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(host_->Start({&jobs_->hosted()}), IsOk()); }
  void TearDown() override { host_->Stop(); }

  // A host with the rows of this one, which ends.
  void Restart() {
    host_->Stop();
    const std::shared_ptr<MemoryTables> tables = host_->tables();
    jobs_ = nullptr;
    host_ = nullptr;
    host_ = std::make_unique<TestHost>(TestHostOptions{.tables = tables, .clock = &clock_});
    jobs_ = std::make_unique<Jobs>(*host_);
    SetUp();
  }

  TestReply<Operation> StartJob(const std::string& method = "StartJob") {
    StartJobRequest request;
    request.set_job("sweep");
    return host_->Call<Operation>(request, {.token = "t", .method = method});
  }
  Operation Get(const std::string& name) {
    GetOperationRequest request;
    request.set_name(name);
    const auto got = host_->Call<Operation>(request);
    EXPECT_THAT(got.status, IsOk());
    return got.reply;
  }

  ManualClock clock_;
  std::unique_ptr<TestHost> host_ = std::make_unique<TestHost>(TestHostOptions{.clock = &clock_});
  std::unique_ptr<Jobs> jobs_ = std::make_unique<Jobs>(*host_);
};

TEST_F(TestHostWorkTest, C24_WorkIsDoneWhenItWasWaitedForAndARetryShowsItsEnd) {
  jobs_->FailTimes(2);
  const auto begun = StartJob();
  EXPECT_EQ(begun.outcome, "executed");
  EXPECT_FALSE(begun.reply.done());
  EXPECT_EQ(begun.reply.name(), absl::StrCat("operations/", CountedId("op", 1)));
  EXPECT_THAT(host_->AwaitWork(), IsOk());
  EXPECT_TRUE(Get(begun.reply.name()).done());
  const auto again = StartJob();
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_TRUE(again.reply.done());
  EXPECT_THAT(host_->unrepeatable(), testing::IsEmpty());
}

TEST_F(TestHostWorkTest, WithoutWorkThereIsNothingToWaitFor) {
  EXPECT_THAT(host_->AwaitWork(absl::ZeroDuration()), IsOk());
}

TEST_F(TestHostWorkTest, AClientMayWaitForAnOperation) {
  WaitOperationRequest request;
  request.set_name(StartJob().reply.name());
  const auto waited = host_->Call<Operation>(request);
  EXPECT_THAT(waited.status, IsOk());
  EXPECT_TRUE(waited.reply.done());
}

// As in a project whose service replies with google.longrunning.Operation.
TEST_F(TestHostWorkTest, ATestMayHaveItsOwnCodeForATypeOfTheHosts) {
  google::longrunning::GetOperationRequest request;
  request.set_name(StartJob().reply.name());
  const auto got = host_->Call<google::longrunning::Operation>(request);
  EXPECT_THAT(got.status, IsOk());
  EXPECT_EQ(got.reply.name(), request.name());
}

TEST_F(TestHostWorkTest, WorkThatIsLeftIsNamed) {
  jobs_->Hold();
  const std::string name = StartJob().reply.name();
  EXPECT_THAT(host_->AwaitWork(absl::Milliseconds(1)),
              StatusIs(StatusCode::kDeadlineExceeded, AllOf(HasSubstr(kKind), HasSubstr(name))));
}

TEST_F(TestHostWorkTest, TheLastErrorOfWorkThatIsLeftIsTold) {
  jobs_->FailTimes(1'000'000);
  const std::string name = StartJob().reply.name();
  // Until the backoff is longer than the time that is waited for.
  absl::Status left;
  do {
    left = host_->AwaitWork(absl::Milliseconds(5));
    ASSERT_THAT(left, StatusIs(StatusCode::kDeadlineExceeded, HasSubstr(name)));
  } while (!absl::StrContains(left.message(), absl::StrCat(name, ", last error: UNAVAILABLE: not now")));
}

TEST_F(TestHostWorkTest, WhatIsDoneAfterTheHostIsDestroyedHasNoEffect) {
  jobs_->Hold();
  StartJob();
  std::vector<WorkDriver::Done> held = jobs_->TakeHeld();
  ASSERT_THAT(held, testing::SizeIs(1));
  host_ = nullptr;
  std::move(held.front())(absl::OkStatus());
  host_ = std::make_unique<TestHost>();
}

TEST_F(TestHostWorkTest, AnErrorOfScheduleRefusesTheCallEvenIfItIsIgnored) {
  jobs_->IgnoreAnError();
  const auto begun = StartJob();
  EXPECT_THAT(begun.status, StatusIs(StatusCode::kFailedPrecondition, HasSubstr("\"test.none\" has no driver")));
  EXPECT_THAT(host_->AwaitWork(absl::ZeroDuration()), IsOk());
}

TEST(TestHostDriverTest, ADriverThatIsGivenTwiceOrForNoServiceIsRefusedByTheStart) {
  TestHost twice;
  Jobs one(twice);
  Jobs other(twice);
  EXPECT_THAT(twice.Start({&one.hosted()}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("given two drivers")));
  TestHost none;
  Jobs alone(none);
  EXPECT_THAT(none.Start({}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("which is not hosted")));
}

TEST_F(TestHostWorkTest, ACompletionThatIsNotRepeatableIsNamedAndTheWorkEnds) {
  jobs_->MakeUnrepeatable();
  const std::string name = StartJob().reply.name();
  EXPECT_THAT(host_->AwaitWork(),
              StatusIs(StatusCode::kInternal,
                       AllOf(HasSubstr("work of kind test.job is not repeatable"), HasSubstr("of table operations"))));
  EXPECT_TRUE(Get(name).done());
}

TEST_F(TestHostWorkTest, C14_WorkThatAHostLeftIsTakenUpByALaterOne) {
  jobs_->Hold();
  const std::string name = StartJob().reply.name();
  Restart();
  EXPECT_THAT(host_->AwaitWork(), IsOk());
  EXPECT_TRUE(Get(name).done());
}

}  // namespace
}  // namespace hapax
