#include "hapax/server/grpc/health.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/health/health.pb.h"
#include "hapax/tests/server/support/raw_stream.h"
#include "hapax/tests/server/support/service_host_fixture.h"

// As a client's probe sees it.
namespace hapax {
namespace {

using external::health::HealthCheckRequest;
using external::health::HealthCheckResponse;

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kLedger[] = "hapax.test.v1.Ledger";
const std::string kNoRequest = "\x0A\x7F";  // A string that is cut off.

std::string Request(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request.SerializeAsString();
}

// The name of the status that the reply has; "none" when there is no reply.
std::string StatusIn(const std::optional<std::string>& reply) {
  HealthCheckResponse response;
  if (!reply.has_value() || !response.ParseFromString(*reply)) return "none";
  return HealthCheckResponse::ServingStatus_Name(response.status());
}

class HealthTest : public ServiceHostTest {
 protected:
  std::string Check(const std::string& service) { return StatusIn(Client().Call(kCheck, Request(service)).bytes); }
};

TEST_F(HealthTest, TheServerAndEachServiceAreServing) {
  EXPECT_EQ(Check(""), "SERVING");
  EXPECT_EQ(Check(kLedger), "SERVING");
  EXPECT_EQ(Client().Call(kCheck, Request("hapax.test.v1.None")).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, NothingIsServingOnceTheShutdownIsAnnouncedThoughCallsStillAre) {
  host_->AnnounceShutdown();
  EXPECT_EQ(Check(""), "NOT_SERVING");
  EXPECT_EQ(Check(kLedger), "NOT_SERVING");
  const auto pending = Client().Start(kDeposit, "");
  holding_->Take().Finish(std::string("still served"));
  EXPECT_EQ(pending->Wait().bytes, "still served");
}

TEST_F(HealthTest, WhatIsNoRequestIsAnInvalidArgument) {
  for (const char* method : {kCheck, kWatch}) {
    RawStream garbled(Client(), method);
    garbled.Write(kNoRequest);
    EXPECT_EQ(garbled.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    RawStream silent(Client(), method);
    silent.WritesDone();
    EXPECT_EQ(silent.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
  }
}

TEST_F(HealthTest, WatchTellsTheStatusAtOnceAndThatTheShutdownIsAnnounced) {
  std::vector<std::unique_ptr<RawStream>> watches;
  for (const char* service : {"", kLedger, kLedger}) {
    watches.push_back(std::make_unique<RawStream>(Client(), kWatch));
    watches.back()->Write(Request(service));
    EXPECT_EQ(StatusIn(watches.back()->Read()), "SERVING");
  }
  host_->AnnounceShutdown();
  host_->AnnounceShutdown();  // Which is no news.
  for (const auto& watch : watches) EXPECT_EQ(StatusIn(watch->Read()), "NOT_SERVING");
  host_->Drain(absl::InfiniteDuration());
  for (const auto& watch : watches) {
    EXPECT_EQ(watch->Read(), std::nullopt);
    EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

// Nobody adds it any more; but the protocol has a client wait.
TEST_F(HealthTest, WatchOfAnUnknownServiceSaysSoAndGoesOn) {
  RawStream watch(Client(), kWatch);
  watch.Write(Request("hapax.test.v1.None"));
  EXPECT_EQ(StatusIn(watch.Read()), "SERVICE_UNKNOWN");
  host_->AnnounceShutdown();
  host_->Drain(absl::InfiniteDuration());
  EXPECT_EQ(watch.Read(), std::nullopt);
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HealthTest, WatchGoesOnWhenItsClientHasNoMoreToSay) {
  RawStream watch(Client(), kWatch);
  watch.Write(Request(""));
  watch.WritesDone();
  EXPECT_EQ(StatusIn(watch.Read()), "SERVING");
  host_->AnnounceShutdown();
  EXPECT_EQ(StatusIn(watch.Read()), "NOT_SERVING");
}

TEST_F(HealthTest, ClientsWhoGoAwayWhileTheyWatchDisturbNobody) {
  RawStream watch(Client(), kWatch);
  watch.Write(Request(""));
  EXPECT_EQ(StatusIn(watch.Read()), "SERVING");
  std::thread clients([this] {
    for (int i = 0; i < 20; ++i) {
      RawStream unread(Client(), kWatch);  // Goes without having read what it is told,
      unread.Write(Request(kLedger));
      RawStream silent(Client(), kWatch);  // or without having said what to watch.
    }
  });
  host_->AnnounceShutdown();
  EXPECT_EQ(StatusIn(watch.Read()), "NOT_SERVING");
  clients.join();
  watch.Cancel();
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::CANCELLED);
  host_->Drain(absl::InfiniteDuration());  // Nothing of them is left to wait for.
}

}  // namespace
}  // namespace hapax
