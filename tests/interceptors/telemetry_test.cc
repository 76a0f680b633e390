#include "hapax/interceptors/telemetry.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_api_keys.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"
#include "spdlog/sinks/ostream_sink.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using tests::v1::PlaceOrderRequest;

constexpr char kPlace[] = "hapax.tests.v1.Orders/PlaceOrder";
constexpr char kCount[] = "hapax.tests.v1.Orders/CountOrders";

class TelemetryTest : public testing::Test {
 protected:
  TelemetryTest() : logger_("calls", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)) {
    logger_.set_pattern(R"({"level":"%l",%v})");
  }

  // Takes a call of that method, with that outcome, through the link and to this end.
  void End(const Method& method, std::optional<Outcome> outcome, absl::StatusOr<std::string> reply) {
    FakeCall call(method, "");
    call.principal.tenant = "tenant";
    ASSERT_EQ(telemetry_.Run(call), "passed on");
    call.outcome = outcome;
    call.Finish(std::move(reply));
  }

  // The metric `name`, by its labels' values.
  std::map<std::string, prometheus::ClientMetric> Metrics(const std::string& name) {
    std::map<std::string, prometheus::ClientMetric> metrics;
    for (const prometheus::MetricFamily& family : registry_.Collect()) {
      if (family.name != name) continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        std::string labels;
        for (const auto& label : metric.label) absl::StrAppend(&labels, label.name, "=", label.value, " ");
        metrics[labels] = metric;
      }
    }
    return metrics;
  }

  std::map<std::string, double> CallsTotal() {
    std::map<std::string, double> calls;
    for (const auto& [labels, metric] : Metrics("hapax_calls_total")) calls[labels] = metric.counter.value;
    return calls;
  }

  std::vector<std::string> LogLines() {
    std::istringstream lines(log_.str());
    std::vector<std::string> split;
    for (std::string line; std::getline(lines, line);) split.push_back(line);
    return split;
  }

  const Method place_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  const Method count_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "CountOrders"));
  prometheus::Registry registry_;
  std::ostringstream log_;
  spdlog::logger logger_;
  LinkRunner<Telemetry> telemetry_{registry_, logger_};
};

std::string Labels(const char* method, const std::string& result) {
  return absl::StrCat("method=", method, " result=", result, " ");
}

TEST_F(TelemetryTest, AServicesOwnReasonIsAResult) {
  End(place_, std::nullopt, Refuse(OwnReason{.domain = "shop", .reason = "SOLD_OUT"}, "sold out"));
  End(place_, std::nullopt, Refuse(OwnReason{.domain = "shop", .reason = "SOLD_OUT"}, "sold out"));
  EXPECT_THAT(CallsTotal(), ElementsAre(Pair(Labels(kPlace, "SOLD_OUT"), 2)));
  EXPECT_THAT(LogLines().front(), HasSubstr(R"("result":"SOLD_OUT")"));
}

TEST_F(TelemetryTest, ReasonsWithoutEndAreNotSeriesWithoutEnd) {
  for (int i = 0; i < 1010; ++i) {
    End(place_, std::nullopt, Refuse(OwnReason{.domain = "shop", .reason = absl::StrCat("REASON_", i)}, "made up"));
  }
  EXPECT_EQ(CallsTotal().size(), 1001);
  EXPECT_EQ(CallsTotal()[Labels(kPlace, "FAILED_PRECONDITION")], 10);
}

TEST_F(TelemetryTest, CallsAreCountedByMethodAndResult) {
  End(place_, Outcome::kExecuted, "reply");
  End(place_, Outcome::kReplayed, "reply");
  End(place_, Outcome::kReplayed, "reply");
  End(place_, Outcome::kUnprotected, "reply");
  End(count_, std::nullopt, "reply");
  End(place_, std::nullopt, Refuse(Reason::kQuotaExceeded, "no more"));
  End(count_, std::nullopt, absl::CancelledError("gone"));
  EXPECT_THAT(CallsTotal(), ElementsAre(Pair(Labels(kCount, "CANCELLED"), 1), Pair(Labels(kCount, "ok"), 1),
                                        Pair(Labels(kPlace, "QUOTA_EXCEEDED"), 1), Pair(Labels(kPlace, "executed"), 1),
                                        Pair(Labels(kPlace, "replayed"), 2), Pair(Labels(kPlace, "unprotected"), 1)));
}

TEST_F(TelemetryTest, EveryCodeHasAName) {
  for (int code = 1; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
    End(count_, std::nullopt, absl::Status(static_cast<absl::StatusCode>(code), ""));
    const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
    EXPECT_EQ(CallsTotal()[Labels(kCount, name)], 1) << name;
  }
}

TEST_F(TelemetryTest, AnErrorIsCountedByItsReasonThoughAnOutcomeWasSet) {
  End(place_, Outcome::kExecuted, Refuse(Reason::kTokenStoreUnavailable, "disk"));
  EXPECT_THAT(CallsTotal(), ElementsAre(Pair(Labels(kPlace, "TOKEN_STORE_UNAVAILABLE"), 1)));
}

TEST_F(TelemetryTest, TheTimeOfEachCallIsObservedByMethod) {
  End(place_, Outcome::kExecuted, "reply");
  End(place_, std::nullopt, absl::CancelledError("gone"));
  End(count_, std::nullopt, "reply");
  const auto seconds = Metrics("hapax_call_seconds");
  ASSERT_EQ(seconds.size(), 2);
  EXPECT_EQ(seconds.at(absl::StrCat("method=", kPlace, " ")).histogram.sample_count, 2);
  EXPECT_EQ(seconds.at(absl::StrCat("method=", kCount, " ")).histogram.sample_count, 1);
  EXPECT_GT(seconds.at(absl::StrCat("method=", kPlace, " ")).histogram.bucket.size(), 10);
}

TEST_F(TelemetryTest, NothingIsCountedOrLoggedBeforeTheEnd) {
  FakeCall call(place_, "");
  ASSERT_EQ(telemetry_.Run(call), "passed on");
  EXPECT_THAT(CallsTotal(), IsEmpty());
  EXPECT_THAT(LogLines(), IsEmpty());
  call.Finish("reply");
  EXPECT_EQ(CallsTotal().size(), 1);
  EXPECT_EQ(LogLines().size(), 1);
}

TEST_F(TelemetryTest, OneLogLineWithTheMembersOfAJsonObjectTellsOfACall) {
  End(place_, Outcome::kReplayed, "reply");
  const auto lines = LogLines();
  ASSERT_EQ(lines.size(), 1);
  google::protobuf::Struct object;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(lines[0], &object).ok()) << lines[0];
  ASSERT_EQ(object.fields_size(), 5);
  EXPECT_EQ(object.fields().at("level").string_value(), "info");
  EXPECT_EQ(object.fields().at("method").string_value(), kPlace);
  EXPECT_EQ(object.fields().at("tenant").string_value(), "tenant");
  EXPECT_EQ(object.fields().at("result").string_value(), "replayed");
  EXPECT_GE(object.fields().at("seconds").number_value(), 0);
}

TEST_F(TelemetryTest, AnErrorOfTheServersOwnIsAWarning) {
  using enum absl::StatusCode;
  for (const auto code : {kUnknown, kInternal, kUnavailable, kDataLoss}) {
    End(place_, std::nullopt, absl::Status(code, ""));
    EXPECT_THAT(LogLines().back(), StartsWith(R"({"level":"warning",)")) << code;
  }
  for (const auto code : {kCancelled, kInvalidArgument, kDeadlineExceeded, kNotFound, kAlreadyExists, kPermissionDenied,
                          kResourceExhausted, kFailedPrecondition, kAborted, kUnauthenticated}) {
    End(place_, std::nullopt, absl::Status(code, ""));
    EXPECT_THAT(LogLines().back(), StartsWith(R"({"level":"info",)")) << code;
  }
}

// Ends each call at once.
class Ender final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next /*next*/) override {
    call.outcome = Outcome::kExecuted;
    call.Finish("reply");
  }
};

TEST_F(TelemetryTest, CallsOfManyThreadsAreAllCountedAndLogged) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 200;
  std::vector<std::unique_ptr<UnaryInterceptor>> links;
  links.push_back(std::make_unique<Telemetry>(registry_, logger_));
  links.push_back(std::make_unique<Ender>());
  const Chain chain(std::move(links));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kCalls; ++j) {
        FakeCall call(i % 2 == 0 ? place_ : count_, "");
        chain.Run(call);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(CallsTotal(), ElementsAre(Pair(Labels(kCount, "executed"), kThreads * kCalls / 2),
                                        Pair(Labels(kPlace, "executed"), kThreads * kCalls / 2)));
  EXPECT_EQ(LogLines().size(), kThreads * kCalls);
}

class TelemetryInChainTest : public ChainTest {};

// Whatever a client sends, and whatever becomes of it, the log tells nothing of it.
TEST_F(TelemetryInChainTest, TheLogHoldsNoTokenCredentialParameterOrReply) {
  TestChain chain(*store_, {.authenticator = ApiKeyAuthenticatorOf(ApiKeyLine("orchard", "apple") +
                                                                   ApiKeyLine("orchard", "pear", "read"))});
  const auto call = [&](const std::string& key, const PlaceOrderRequest& request) {
    FakeCall made(service_.place_order(), request);
    made.AddMetadata("x-api-key", ApiKeyOf(key));
    made.AddMetadata("idempotency-key", request.client_token());
    return chain.Call(made).result;
  };
  EXPECT_EQ(call("apple", OrderOf("pencil", "first-token")), "executed");
  EXPECT_EQ(call("apple", OrderOf("pencil", "first-token")), "replayed");
  EXPECT_EQ(call("apple", OrderOf("eraser", "first-token")), "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(call("apple", OrderOf("eraser", "bad token")), "INVALID_CLIENT_TOKEN");
  EXPECT_EQ(call("plum", OrderOf("pencil", "first-token")), "UNAUTHENTICATED");
  EXPECT_EQ(call("pear", OrderOf("pencil", "first-token")), "PERMISSION_DENIED");

  const std::string log = chain.log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);
  EXPECT_THAT(log, HasSubstr(R"("tenant":"orchard","result":"replayed")"));
  EXPECT_THAT(log, HasSubstr(R"("tenant":"","result":"UNAUTHENTICATED")"));
  for (const char* value : {"first-token", "bad token", "apple", "plum", "pear", "pencil", "eraser"}) {
    EXPECT_THAT(log, Not(HasSubstr(value)));
  }
}

}  // namespace
}  // namespace hapax
