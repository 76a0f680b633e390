#include "hapax/client/journal/journaled_caller.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/error.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using LaunchEnd = Result<compute::v1::RunInstancesResponse>;

class JournaledCallerTest : public CallerFixture {
 protected:
  // As a new process does.
  void Reopen() {
    journaled.reset();
    journal.reset();
    journal = MustOpen(path);
    journaled = std::make_unique<JournaledCaller>(caller, *journal);
  }
  // A call that fails for good or for now, with this token.
  void LeaveOpen(const std::string& token) {
    RetryPolicy once = Policy();
    once.max_attempts = 1;
    network->Next(Lost());
    EXPECT_FALSE(CallRaw(token, once).info.settled);
  }
  Result<std::string> CallRaw(const std::string& token, const RetryPolicy& policy = Policy()) {
    return journaled->CallRaw(CallWith(token), policy, [](const auto&) { return true; });
  }
  // Resumes, and tells of each end: "token reply" or "token REASON".
  std::vector<std::string> Resume(bool take, int expected_left) {
    std::vector<std::string> ends;
    EXPECT_THAT(journaled->ResumePending([&](const TokenJournal::Intent& intent, const Result<std::string>& end) {
      ends.push_back(intent.call.token + " " + (end.reply.ok() ? *end.reply : ReasonOf(end.reply.status())));
      return take;
    }),
                IsOkAndHolds(expected_left));
    return ends;
  }

  const TempDir dir;
  const std::string path = dir.Path("journal");
  std::unique_ptr<TokenJournal> journal = MustOpen(path);
  std::unique_ptr<JournaledCaller> journaled = std::make_unique<JournaledCaller>(caller, *journal);
};

TEST_F(JournaledCallerTest, TheIntentIsDurableBeforeTheFirstByteAndGoneWhenTheCallIsSettled) {
  class Watching final : public Connection {
   public:
    explicit Watching(std::string journal_path) : path_(std::move(journal_path)) {}
    Cancel Start(Attempt, Done done) override {
      found.push_back(TokensIn(path_));
      std::move(done)(found.size() < 3 ? Lost() : Replied("reply"));
      return [] {};
    }
    std::vector<std::vector<std::string>> found;

   private:
    const std::string path_;
  };
  auto watching = std::make_shared<Watching>(path);
  Caller its_caller(watching, {}, timing);
  JournaledCaller its_journaled(its_caller, *journal);
  const auto result = its_journaled.CallRaw(CallWith("a"), Policy(), [](const auto&) { return true; });
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_THAT(watching->found, ElementsAre(ElementsAre("a"), ElementsAre("a"), ElementsAre("a")));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, NothingIsSentWhenTheIntentCannotBeWritten) {
  ControlledDisk disk;
  disk.Fail();
  const Result<std::string> result = CallRaw("a");
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(result.info.token, "a");
  EXPECT_EQ(result.info.attempts, 0);
  EXPECT_FALSE(result.info.settled) << "after a crash it may turn out to have been written";
  EXPECT_EQ(network->count(), 0u);
}

TEST_F(JournaledCallerTest, ARefusalSettlesACallOfThisProcess) {
  network->Next(NotFound());
  EXPECT_EQ(ReasonOf(CallRaw("a").reply.status()), "IMAGE_NOT_FOUND");
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, WhatIsOpenStaysAndIsResumedByThisProcessOrTheNext) {
  LeaveOpen("a");
  LeaveOpen("b");
  EXPECT_THAT(TokensIn(path), ElementsAre("a", "b"));
  network->Next(Replied("A", "replayed"));
  for (int i = 0; i < Policy().max_attempts; ++i) network->Next(Lost());
  EXPECT_THAT(Resume(/*take=*/true, /*expected_left=*/1), ElementsAre("a A", "b "));
  EXPECT_THAT(TokensIn(path), ElementsAre("b"));
  EXPECT_THAT(network->attempt(network->count() - 1).attempt.metadata, ElementsAre(std::pair("x-client-token", "b")));
  Reopen();
  network->Next(Replied("B"));
  EXPECT_THAT(Resume(true, 0), ElementsAre("b B"));
  EXPECT_THAT(Resume(true, 0), IsEmpty());
}

TEST_F(JournaledCallerTest, WhoDoesNotTakeAnEndFindsItAgain) {
  LeaveOpen("a");
  network->Next(2, Replied("A"));
  EXPECT_THAT(Resume(/*take=*/false, /*expected_left=*/1), ElementsAre("a A"));
  EXPECT_THAT(Resume(true, 0), ElementsAre("a A"));
}

TEST_F(JournaledCallerTest, ARefusalDoesNotSettleAResumedCallButAUsedUpTokenDoes) {
  LeaveOpen("a");
  network->Next(NotFound());
  EXPECT_THAT(Resume(true, 1), ElementsAre("a IMAGE_NOT_FOUND"));
  network->Next(Refused(StatusCode::kFailedPrecondition, "CLIENT_TOKEN_EXPIRED", "new-token"));
  EXPECT_THAT(Resume(true, 0), ElementsAre("a CLIENT_TOKEN_EXPIRED"));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, AHandlersRefusalSettlesACall_C12) {
  network->Next(HandlersError(WithReason(absl::AlreadyExistsError("taken"), "NAME_TAKEN", "a.service"), "never"));
  EXPECT_THAT(CallRaw("a").reply, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

// To keep it would mean to have it executed again.
TEST_F(JournaledCallerTest, AnUnprotectedEffectIsNotKept) {
  network->Next(Replied("A", "unprotected"));
  EXPECT_THAT(CallRaw("a").reply, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

class JournaledElsewhereTest : public JournaledCallerTest {
 protected:
  JournaledElsewhereTest() {
    network->where = kBegun;
    LeaveOpen("a");
    sent_ = network->count();
  }
  // Resumes there, and returns the end of the one call.
  absl::StatusOr<std::string> ResumeAt(const Destination& where, const JournaledCaller::ResumeOptions& options = {}) {
    network->where = where;
    Reopen();
    absl::StatusOr<std::string> reply;
    EXPECT_THAT(journaled->ResumePending(
                    [&](const TokenJournal::Intent& intent, const Result<std::string>& end) {
                      EXPECT_EQ(intent.destination, kBegun);
                      reply = end.reply;
                      return true;
                    },
                    options),
                IsOk());
    return reply;
  }
  [[nodiscard]] int SentSince() const { return static_cast<int>(network->count() - sent_); }

  const Destination kBegun{.endpoint = "one:1", .caller = "API key a1"};

 private:
  size_t sent_ = 0;
};

TEST_F(JournaledElsewhereTest, ACallIsNotMadeElsewhereAndStays) {
  for (const Destination& where : {Destination{"two:1", "API key a1"}, Destination{"one:2", "API key a1"},
                                   Destination{"one:1", "API key b2"}, Destination{"one:1", ""}}) {
    EXPECT_THAT(ResumeAt(where),
                StatusIs(StatusCode::kFailedPrecondition,
                         testing::AllOf(testing::HasSubstr(Describe(kBegun)), testing::HasSubstr(Describe(where)))));
  }
  EXPECT_EQ(SentSince(), 0);
  network->Next(Replied("A"));
  EXPECT_THAT(ResumeAt(kBegun), IsOkAndHolds("A"));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledElsewhereTest, WhatIsAcceptedAsTheSameIsMadeAndNoMoreThanThat) {
  const Destination renamed{"two:1", "API key a1"};
  const Destination rotated{"one:1", "API key b2"};
  EXPECT_THAT(ResumeAt(renamed, {.same_endpoints = {"three:1"}, .same_caller = true}),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(ResumeAt(rotated, {.same_endpoints = {"one:1"}}), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(SentSince(), 0);
  network->Next(Replied("A"));
  EXPECT_THAT(ResumeAt(renamed, {.same_endpoints = {"three:1", "ONE:1"}}), IsOkAndHolds("A"));
  network->where = kBegun;
  LeaveOpen("a");
  network->Next(Replied("A"));
  EXPECT_THAT(ResumeAt(rotated, {.same_caller = true}), IsOkAndHolds("A"));
}

TEST_F(JournaledElsewhereTest, TheSameCallIsNotBegunElsewhereWhileItIsOpen) {
  network->where = {"two:1", "API key a1"};
  EXPECT_THAT(CallRaw("a").reply, StatusIs(StatusCode::kFailedPrecondition, testing::HasSubstr(Describe(kBegun))));
  Reopen();
  EXPECT_THAT(CallRaw("a").reply, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(SentSince(), 0);
  network->Next(Replied("B"));
  EXPECT_THAT(CallRaw("b").reply, IsOk()) << "another call";
  network->where = kBegun;
  network->Next(Replied("A"));
  EXPECT_THAT(CallRaw("a").reply, IsOkAndHolds("A"));
}

// The servers of a list share a store, so a list with the earlier endpoint is the same destination (C30).
TEST_F(JournaledElsewhereTest, OneOfSeveralEndpointsIsTheSameDestination) {
  EXPECT_THAT(ResumeAt({"two:1,three:1", "API key a1"}), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(ResumeAt({"two:1,one:1", "API key b2"}), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(CallRaw("a").reply, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(SentSince(), 0);
  network->Next(Replied("A", "replayed"));
  EXPECT_THAT(ResumeAt({"two:1,one:1", "API key a1"}), IsOkAndHolds("A"));

  network->where = {"two:1,three:1", "API key a1"};
  LeaveOpen("b");
  network->where = {"three:1,one:1", "API key a1"};
  network->Next(Replied("B", "replayed"));
  EXPECT_THAT(CallRaw("b").reply, IsOkAndHolds("B"));
}

TEST_F(JournaledCallerTest, ResumingLeavesTheCallsThatAreUnderWay) {
  class Resuming final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      ++attempts;
      EXPECT_THAT(its_caller->ResumePending([](const auto&, const auto&) { return true; }), IsOkAndHolds(0));
      std::move(done)(Replied("reply"));
      return [] {};
    }
    JournaledCaller* its_caller = nullptr;
    int attempts = 0;
  };
  auto resuming = std::make_shared<Resuming>();
  Caller inner(resuming, {}, timing);
  JournaledCaller its_journaled(inner, *journal);
  resuming->its_caller = &its_journaled;
  EXPECT_THAT(its_journaled.CallRaw(CallWith("a"), Policy(), [](const auto&) { return true; }).reply, IsOk());
  EXPECT_EQ(resuming->attempts, 1);
}

TEST_F(JournaledCallerTest, ATypedEndIsTakenOverBeforeTheIntentIsTakenOut) {
  network->Next(Replied(Launched("r-1")));
  std::vector<std::string> there;
  const auto result = journaled->Call<compute::v1::RunInstancesResponse>(
      ComputeClient::Method("RunInstances"), compute::v1::RunInstancesRequest(), {}, [&](const LaunchEnd& end) {
        EXPECT_EQ(end.reply->reservation_id(), "r-1");
        there = TokensIn(path);
        return true;
      });
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->reservation_id(), "r-1");
  EXPECT_THAT(there, ElementsAre(result.info.token));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, ATypedEndThatIsNotTakenStays) {
  network->Next(2, Replied(Launched("r-1")));
  compute::v1::RunInstancesRequest request;
  request.set_image_id("image");
  const auto result = journaled->Call<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"), request,
                                                                         {}, [](const LaunchEnd&) { return false; });
  EXPECT_THAT(result.reply, IsOk());
  EXPECT_THAT(Resume(true, 0), ElementsAre(result.info.token + " " + Launched("r-1")));
  EXPECT_EQ(SentToken(1), result.info.token) << "where the request has it";
}

TEST_F(JournaledCallerTest, AReplyThatDoesNotParseStaysForAProgramThatKnowsIt) {
  network->Next(Replied("\xff\xff\xff"));
  const auto result = journaled->Call<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"),
                                                                         compute::v1::RunInstancesRequest());
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kInternal));
  EXPECT_THAT(TokensIn(path), ElementsAre(result.info.token));
}

TEST_F(JournaledCallerTest, WhatMayNotBeAttemptedAgainIsNotWrittenDown) {
  network->Next(Lost());
  int taken = 0;
  const auto unprotected = journaled->Call<compute::v1::RunInstancesResponse>(
      ComputeClient::Method("RunInstances"), compute::v1::RunInstancesRequest(),
      {.retry = {}, .token = "", .unprotected = true}, [&](const LaunchEnd& end) {
        EXPECT_THAT(end.reply, StatusIs(StatusCode::kUnavailable));
        EXPECT_THAT(TokensIn(path), IsEmpty());
        ++taken;
        return false;
      });
  EXPECT_THAT(unprotected.reply, StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(taken, 1);
  network->Next(Replied(""));
  const auto read = journaled->Call<compute::v1::DescribeInstancesResponse>(ComputeClient::Method("DescribeInstances"),
                                                                            compute::v1::DescribeInstancesRequest());
  EXPECT_THAT(read.reply, IsOk());
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, AnotherMethodsMessageIsRefusedBeforeItIsWrittenDown) {
  const auto result = journaled->Call<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"),
                                                                         compute::v1::AllocateHostsRequest());
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_TRUE(result.info.settled);
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledCallerTest, NoReplyIsEverInTheFiles) {
  const std::string secret = "-----BEGIN PRIVATE KEY-----";
  network->Next(Replied(secret));
  EXPECT_THAT(CallRaw("a").reply, IsOk());
  LeaveOpen("b");
  network->Next(Replied(secret));
  EXPECT_THAT(Resume(/*take=*/false, 1), ElementsAre("b " + secret));
  for (const std::string& file : FilesOf(path)) {
    EXPECT_EQ(ReadFile(file).find(secret), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace hapax::client
