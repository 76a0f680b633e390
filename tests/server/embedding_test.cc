#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/server.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "prometheus/counter.h"
#include "prometheus/text_serializer.h"
#include "spdlog/sinks/ostream_sink.h"

// What an embedder brings along: interceptors, a log sink, metrics; and what its handlers learn of a call.
namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kChange[] = "/hapax.test.v1.Made/Change";

// Refuses calls of an account by name, and remembers the tokens of all.
class Gatekeeper final : public UnaryInterceptor {
 public:
  explicit Gatekeeper(std::vector<std::string>& tokens) : tokens_(tokens) {}
  void Intercept(UnaryCall& call, Next next) override {
    tokens_.push_back(call.context.client_token);
    const auto& request = static_cast<const DepositRequest&>(*call.request);
    if (request.account() == "closed") {
      return call.Finish(Refuse(OwnReason{.domain = "test", .reason = "ACCOUNT_CLOSED"}, "the account is closed"));
    }
    next(call);
  }

 private:
  std::vector<std::string>& tokens_;
};

class EmbeddingTest : public testing::Test {
 protected:
  EmbeddingTest() {
    ServerOptions options;
    options.listen_address = "127.0.0.1:0";
    options.data_dir = dir_.Path("data");
    options.log_sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(log_);
    options.log_sink->set_pattern("%l %v");
    options.interceptors.push_back(std::make_unique<Gatekeeper>(tokens_));
    server_ = Server::Open(std::move(options)).value();
  }

  void Start(HostedService::MutationHandler<DepositRequest, DepositResponse> handler) {
    hosted_.Mutation<DepositRequest, DepositResponse>("Change", std::move(handler));
    ASSERT_THAT(server_->Start({&hosted_}), IsOk());
  }
  [[nodiscard]] RawReply Call(const std::string& account) const {
    DepositRequest request;
    request.set_client_token("token-" + account);
    request.set_account(account);
    return RawClient(server_->port())
        .Call(kChange, request.SerializeAsString(), {{"x-flavour", "sweet"}, {"x-tenant-id", "tenant"}},
              absl::Minutes(1));
  }

  const TempDir dir_;
  std::ostringstream log_;
  std::vector<std::string> tokens_;
  const MadeService made_{RuleOptions(kRule)};
  HostedService hosted_{made_.descriptor()};
  std::unique_ptr<Server> server_;
};

TEST_F(EmbeddingTest, AnInterceptorSeesEveryAttemptAndMayRefuse) {
  Start([](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); });
  EXPECT_EQ(Call("open").outcome(), "executed");
  EXPECT_EQ(Call("open").outcome(), "replayed");
  EXPECT_EQ(Call("closed").reason(), "test/ACCOUNT_CLOSED");
  EXPECT_THAT(tokens_, ElementsAre("token-open", "token-open", "token-closed"));
}

TEST_F(EmbeddingTest, LogLinesGoToTheSink) {
  Start([](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); });
  ASSERT_EQ(Call("open").outcome(), "executed");
  EXPECT_THAT(server_->Stop(absl::Minutes(1)), IsOk());
  EXPECT_THAT(log_.str(), HasSubstr("info data in "));
  EXPECT_THAT(log_.str(), HasSubstr(R"(info {"method":"hapax.test.v1.Made/Change","tenant":"tenant",)"));
}

TEST_F(EmbeddingTest, ItsMetricsJoinTheServers) {
  prometheus::BuildCounter().Name("my_total").Register(server_->metrics()).Add({}).Increment();
  Start([](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); });
  ASSERT_EQ(Call("open").outcome(), "executed");
  const std::string page = prometheus::TextSerializer().Serialize(server_->metrics().Collect());
  EXPECT_THAT(page, HasSubstr("my_total 1"));
  EXPECT_THAT(page, HasSubstr("hapax_calls_total{"));
}

TEST_F(EmbeddingTest, AHandlerLearnsOfDeadlinePeerAndMetadata) {
  std::string peer;
  std::string flavour;
  absl::Time deadline;
  Role role = Role::kRead;
  Start([&](const CallContext& context, Transaction&, const DepositRequest&, DepositResponse*) {
    peer = context.call->peer();
    flavour = context.call->Metadata("x-flavour").at(0);
    deadline = context.call->deadline();
    role = context.role;
    return absl::OkStatus();
  });
  ASSERT_EQ(Call("open").outcome(), "executed");
  EXPECT_THAT(peer, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(flavour, "sweet");
  EXPECT_LT(deadline, absl::InfiniteFuture());
  EXPECT_EQ(role, Role::kAdmin);
}

}  // namespace
}  // namespace hapax
