#include "hapax/server/http/http_call.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/server.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/open_server.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/raw_http.h"
#include "hapax/tests/support/temp_dir.h"

// Calls through a door of an embedder's: the chain treats them as those that come by gRPC.
namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kChange[] = "hapax.test.v1.Made/Change";

// The body is the account. The door believes its header X-Verified.
class ChangeDoor final : public Door {
 public:
  [[nodiscard]] bool IsFor(const HttpRequest& request) const override { return request.method == "POST"; }
  void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const override {
    DepositRequest deposit;
    deposit.set_client_token(request.prefix_token);
    deposit.set_account(request.body);
    DoorCall call{.method = request.path == "/change" ? kChange : "hapax.test.v1.Made/Nothing",
                  .request = deposit.SerializeAsString(),
                  .metadata = {},
                  .principal = std::nullopt};
    for (const char* name : {"x-tenant-id", "x-client-token"}) {
      if (const auto value = request.Header(name)) call.metadata.emplace_back(name, *value);
    }
    if (const auto tenant = request.Header("x-verified")) {
      call.principal = Principal{.tenant = std::string(*tenant), .role = Role::kWrite};
    }
    calls.Run(request, std::move(call), [done = std::move(done)](DoorReply reply) mutable {
      HttpReply http{.status = 200, .content_type = "text/plain", .headers = {}, .body = ""};
      if (!reply.reply.ok()) {
        http.status = 400;
        http.body = std::string(reply.reply.status().message());
      } else {
        DepositResponse response;
        EXPECT_TRUE(response.ParseFromString(*reply.reply));
        http.body = absl::StrCat(response.balance(), " ", std::string(WireName(reply.outcome.value())));
      }
      std::move(done)(std::move(http));
    });
  }
};

// Nobody is known by metadata.
class NobodyIsKnown final : public Authenticator {
 public:
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& /*call*/) const override {
    return Refuse(Reason::kUnauthenticated, "who are you?");
  }
};

class HttpCallTest : public testing::Test {
 protected:
  void Start(std::unique_ptr<Authenticator> authenticator = nullptr) {
    ServerOptions options = QuietOptions(dir_.Path("data"));
    options.http_address = "127.0.0.1:0";
    options.doors.push_back(std::make_unique<ChangeDoor>());
    options.authenticator = std::move(authenticator);
    hosted_.Mutation<DepositRequest, DepositResponse>(
        "Change",
        [this](const CallContext& context, Transaction&, const DepositRequest& request,
               DepositResponse* response) -> absl::Status {
          peer_ = context.call->peer();
          tenant_ = context.tenant;
          has_time_ = context.call->deadline() < absl::InfiniteFuture() && !context.call->IsCancelled();
          if (request.account() == "closed") return RefuseParameter("account", "must be open");
          response->set_balance(++runs_);
          return absl::OkStatus();
        });
    server_ = StartedServer(std::move(options), {&hosted_});
  }
  [[nodiscard]] std::string Post(const std::string& path, const std::string& headers, const std::string& body) const {
    RawHttp connection(server_->http_port());
    connection.Send(absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: h\r\n", headers, "Content-Length: ", body.size(),
                                 "\r\n\r\n", body));
    return connection.Reply();
  }

  const TempDir dir_;
  const MadeService made_{RuleOptions(kRule)};
  HostedService hosted_{made_.descriptor()};
  int runs_ = 0;
  std::string peer_;
  std::string tenant_;
  bool has_time_ = false;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpCallTest, ATokenIsTheSameThroughTheDoorAndByGrpc) {
  Start();
  EXPECT_THAT(Post("/with-client-token/T/change", "X-Tenant-Id: alice\r\n", "a"), EndsWith("\r\n\r\n1 executed"));
  EXPECT_EQ(tenant_, "alice");
  EXPECT_THAT(peer_, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_TRUE(has_time_);
  EXPECT_THAT(Post("/change", "X-Tenant-Id: alice\r\nX-Client-Token: T\r\n", "a"), EndsWith("\r\n\r\n1 replayed"));
  EXPECT_THAT(Post("/change", "X-Tenant-Id: alice\r\nX-Client-Token: T\r\n", "b"),
              HasSubstr("with other values of account"));
  EXPECT_THAT(Post("/change", "X-Client-Token: T\r\n", "a"), EndsWith("2 executed"));  // Of another tenant.

  DepositRequest request;
  request.set_client_token("T");
  request.set_account("a");
  const RawReply reply = RawClient(server_->port())
                             .Call(absl::StrCat("/", kChange), request.SerializeAsString(), {{"x-tenant-id", "alice"}});
  EXPECT_TRUE(reply.status.ok());
  DepositResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.bytes));
  EXPECT_EQ(response.balance(), 1);
  EXPECT_EQ(runs_, 2);
}

TEST_F(HttpCallTest, ACallerWhomTheDoorVerifiedIsNotAskedAgain) {
  Start(std::make_unique<NobodyIsKnown>());
  EXPECT_THAT(Post("/with-client-token/T/change", "", "a"), HasSubstr("who are you?"));
  EXPECT_THAT(Post("/with-client-token/T/change", "X-Verified: bob\r\n", "a"), EndsWith("1 executed"));
  EXPECT_EQ(tenant_, "bob");
}

TEST_F(HttpCallTest, ErrorsAreThoseOfTheChain) {
  Start();
  EXPECT_THAT(Post("/change", "", "a"), EndsWith("1 unprotected"));
  EXPECT_THAT(Post("/change", "", "closed"), EndsWith("\r\n\r\naccount: must be open"));
  EXPECT_THAT(Post("/nothing", "", "a"), HasSubstr("no service of this server has this method"));
}

}  // namespace
}  // namespace hapax
