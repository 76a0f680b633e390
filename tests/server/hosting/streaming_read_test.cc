#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/server.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/raw_stream.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kReply[] = ".hapax.test.v1.DepositResponse";
using Handler = HostedService::StreamingHandler<DepositRequest, DepositResponse>;

// Counts from 0 to the request's amount.
absl::StatusOr<bool> Count(const CallContext&, const ReadTransaction&, const DepositRequest& request,
                           std::string* cursor, DepositResponse* reply) {
  int64_t next = 0;
  if (!cursor->empty() && !absl::SimpleAtoi(*cursor, &next)) return absl::InternalError("a bad cursor");
  if (next == request.amount()) return false;
  reply->set_balance(next);
  *cursor = absl::StrCat(next + 1);
  return true;
}

DepositRequest UpTo(int64_t amount) {
  DepositRequest request;
  request.set_amount(amount);
  return request;
}

class StreamingReadTest : public testing::Test {
 protected:
  void Host(Handler handler) {
    hosted_.StreamingRead<DepositRequest, DepositResponse>("Change", std::move(handler));
    ASSERT_THAT(hosted_.Compile(), IsOk());
    client_ = std::make_unique<ChainClient>(*store_, clock_, std::vector<const HostedService*>{&hosted_});
  }
  [[nodiscard]] std::unique_ptr<FakeCall> Call(const DepositRequest& request) const {
    auto call = client_->Start("Change", request, "tenant");
    static_cast<void>(ReplyTo(*call));
    return call;
  }
  [[nodiscard]] static std::vector<int64_t> Balances(const FakeCall& call) {
    std::vector<int64_t> balances;
    for (const std::string& part : call.parts()) {
      DepositResponse reply;
      EXPECT_TRUE(reply.ParseFromString(part));
      balances.push_back(reply.balance());
    }
    return balances;
  }

  const TempDir dir_;
  const SystemClock clock_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  const MadeService made_{ReadOptions(), kReply, /*streams=*/true};
  HostedService hosted_{made_.descriptor()};
  std::unique_ptr<ChainClient> client_;
};

TEST_F(StreamingReadTest, EachMessageIsSentAndThenTheEnd) {
  Host(Count);
  const auto call = Call(UpTo(3));
  EXPECT_EQ(call->Result(), "ok");
  EXPECT_THAT(Balances(*call), ElementsAre(0, 1, 2));
  EXPECT_THAT(Balances(*Call(UpTo(0))), ElementsAre());
}

TEST_F(StreamingReadTest, AnErrorEndsTheStream) {
  Host([](const CallContext&, const ReadTransaction&, const DepositRequest&, std::string* cursor,
          DepositResponse*) -> absl::StatusOr<bool> {
    if (!cursor->empty()) return absl::NotFoundError("gone");
    *cursor = "1";
    return true;
  });
  const auto call = Call(UpTo(1));
  EXPECT_THAT(call->Reply().status(), StatusIs(StatusCode::kNotFound, "gone"));
  EXPECT_EQ(call->parts().size(), 1);
}

TEST_F(StreamingReadTest, AFaultEndsTheStreamWithInternal) {
  int messages = 0;
  Host([&](const CallContext&, const ReadTransaction&, const DepositRequest& request, std::string*,
           DepositResponse* reply) -> absl::StatusOr<bool> {
    if (++messages == 1) return true;
    if (request.amount() == 1) throw std::runtime_error("fault");
    if (request.amount() == 2) reply->set_note("\xFF");
    if (request.amount() == 3) reply->set_note(std::string(65 << 10, 'x'));
    return true;
  });
  for (int64_t amount = 1; amount <= 3; ++amount) {
    messages = 0;
    const auto call = Call(UpTo(amount));
    EXPECT_EQ(call->Result(), "INTERNAL") << amount;
    EXPECT_EQ(call->parts().size(), 1);
  }
}

TEST_F(StreamingReadTest, AClientThatTakesNoMoreEndsIt) {
  Host(Count);
  const Method& method = hosted_.methods().front();
  FakeCall call(method, UpTo(1'000'000));
  call.SetMaxParts(2);
  client_->Run(call);
  EXPECT_EQ(call.Result(), "CANCELLED");
  EXPECT_EQ(call.parts().size(), 2);
}

TEST_F(StreamingReadTest, ADeclarationThatDoesNotFitIsRefused) {
  const MadeService unary(ReadOptions());
  HostedService of_unary(unary.descriptor());
  of_unary.StreamingRead<DepositRequest, DepositResponse>("Change", Count);
  EXPECT_THAT(of_unary.Compile(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("is a streaming read")));
  const MadeService mutation(RuleOptions(kRule), kReply, /*streams=*/true);
  HostedService of_mutation(mutation.descriptor());
  of_mutation.StreamingRead<DepositRequest, DepositResponse>("Change", Count);
  EXPECT_THAT(of_mutation.Compile(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("NO_SIDE_EFFECTS")));
  hosted_.Read<DepositRequest, DepositResponse>(
      "Change", [](const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse*) {
        return absl::OkStatus();
      });
  EXPECT_THAT(hosted_.Compile(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("needs a StreamingRead")));
}

// Over gRPC, with more messages than fit into what a client takes unread.
TEST_F(StreamingReadTest, AStreamArrivesOverGrpc) {
  constexpr int64_t kMessages = 200;
  hosted_.StreamingRead<DepositRequest, DepositResponse>(
      "Change", [](const CallContext& context, const ReadTransaction& txn, const DepositRequest& request,
                   std::string* cursor, DepositResponse* reply) {
        reply->set_note(std::string(60 << 10, 'x'));
        return Count(context, txn, request, cursor, reply);
      });
  const auto server = Server::Open({.listen_address = "127.0.0.1:0", .data_dir = dir_.Path("server")}).value();
  ASSERT_THAT(server->Start({&hosted_}), IsOk());
  const RawClient client(server->port());
  constexpr char kChange[] = "/hapax.test.v1.Made/Change";
  {
    RawStream stream(client, kChange);
    stream.Write(UpTo(kMessages).SerializeAsString());
    stream.WritesDone();
    for (int64_t i = 0; i < kMessages; ++i) {
      DepositResponse reply;
      ASSERT_TRUE(reply.ParseFromString(stream.Read().value_or("\xFF")));
      EXPECT_EQ(reply.balance(), i);
    }
    EXPECT_EQ(stream.Read(), std::nullopt);
    EXPECT_TRUE(stream.Finish().ok());
  }
  RawStream given_up(client, kChange);
  given_up.Write(UpTo(kMessages).SerializeAsString());
  EXPECT_TRUE(given_up.Read().has_value());
  given_up.Cancel();
  EXPECT_FALSE(given_up.Finish().ok());
  EXPECT_THAT(server->Stop(absl::Minutes(1)), IsOk());
}

}  // namespace
}  // namespace hapax
