#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/server/support/chain_client.h"
#include "hapax/tests/server/support/made_service.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;
using testing::HasSubstr;
using testing::Not;

constexpr char kInvalidText[] = "caf\xE9";
constexpr char kSecret[] = "a password";

DepositRequest RequestWith(const std::string& token) {
  DepositRequest request;
  request.set_client_token(token);
  return request;
}

// A service of one method, `Change`, behind the whole chain.
class HandlerFaultsTest : public testing::Test {
 protected:
  void Make(const google::protobuf::MethodOptions& options) {
    made_ = std::make_unique<MadeService>(options);
    hosted_ = std::make_unique<HostedService>(made_->descriptor());
  }
  void Serve() {
    ASSERT_THAT(hosted_->Compile(), IsOk());
    client_ = std::make_unique<ChainClient>(*store_, clock_, std::vector<const HostedService*>{hosted_.get()});
  }
  [[nodiscard]] ChainReply Call(const std::string& token) const {
    return client_->Call("Change", RequestWith(token), "tenant");
  }
  // The call is refused as a fault of the server's, and its client learns nothing of it.
  void ExpectFault(const std::string& token = "token") const {
    const ChainReply reply = Call(token);
    EXPECT_EQ(reply.result, "INTERNAL");
    EXPECT_THAT(std::string(reply.status.message()), Not(HasSubstr(kSecret)));
  }
  [[nodiscard]] int Rows() const {
    int rows = 0;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kResources, KeyRange(), [&](std::string_view, std::string_view) {
                          ++rows;
                          return true;
                        });
                      }),
                IsOk());
    return rows;
  }

  const TempDir dir_;
  const SystemClock clock_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  std::unique_ptr<MadeService> made_;
  std::unique_ptr<HostedService> hosted_;
  std::unique_ptr<ChainClient> client_;
};

using Fault = std::function<absl::Status(Transaction&, DepositResponse*)>;

class MutationFaultsTest : public HandlerFaultsTest,
                           public testing::WithParamInterface<std::pair<const char*, Fault>> {};

TEST_P(MutationFaultsTest, LeavesNothingAndTheTokenFree) {
  Make(RuleOptions(kRule));
  bool faulty = true;
  hosted_->Mutation<DepositRequest, DepositResponse>(
      "Change", [&](const CallContext&, Transaction& txn, const DepositRequest&, DepositResponse* reply) {
        txn.Put(Table::kResources, "row", "value");
        return faulty ? GetParam().second(txn, reply) : absl::OkStatus();
      });
  Serve();
  ExpectFault();
  ExpectFault();
  EXPECT_EQ(Rows(), 0);
  ExpectFault("");
  faulty = false;
  EXPECT_EQ(Call("token").result, "executed");
  EXPECT_EQ(Rows(), 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, MutationFaultsTest,
    testing::Values(std::pair("Exception", Fault([](Transaction&, DepositResponse*) -> absl::Status {
                                throw std::runtime_error(kSecret);
                              })),
                    std::pair("ThrownNumber", Fault([](Transaction&, DepositResponse*) -> absl::Status { throw 1; })),
                    std::pair("ReplyThatIsNotUtf8", Fault([](Transaction&, DepositResponse* reply) {
                                reply->set_note(kInvalidText);
                                return absl::OkStatus();
                              })),
                    std::pair("RowThatIsNotUtf8", Fault([](Transaction& txn, DepositResponse*) {
                                DepositRequest row;
                                row.mutable_nested()->set_account(kInvalidText);
                                PutRow(txn, Table::kResources, "bad", row);
                                return absl::OkStatus();
                              })),
                    std::pair("RowThatLacksARequiredField", Fault([](Transaction& txn, DepositResponse*) {
                                PutRow(txn, Table::kResources, "bad", google::protobuf::UninterpretedOption_NamePart());
                                return absl::OkStatus();
                              })),
                    std::pair("AnotherTable", Fault([](Transaction& txn, DepositResponse*) {
                                txn.Put(Table::kTokens, "row", "value");
                                return absl::OkStatus();
                              }))),
    [](const auto& test) { return test.param.first; });

// A handler whose commit stands, whatever becomes of the hook.
TEST_F(HandlerFaultsTest, AHookThatThrowsLeavesTheEffect) {
  Make(RuleOptions(kRule));
  hosted_->Mutation<DepositRequest, DepositResponse>(
      "Change", [&](const CallContext&, Transaction& txn, const DepositRequest&, DepositResponse*) {
        txn.Put(Table::kResources, "row", "value");
        txn.OnCommit([] { throw std::runtime_error(kSecret); });
        return absl::OkStatus();
      });
  Serve();
  EXPECT_EQ(Call("token").result, "executed");
  EXPECT_EQ(Call("token").result, "replayed");
  EXPECT_EQ(Rows(), 1);
}

TEST_F(HandlerFaultsTest, ACanonicalizerThatThrows) {
  Make(RuleOptions(kRule));
  bool faulty = false;
  hosted_->Mutation<DepositRequest, DepositResponse>(
      "Change",
      [&](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); },
      [&](DepositRequest*) {
        if (faulty) throw std::runtime_error(kSecret);
      });
  Serve();
  EXPECT_EQ(Call("known").result, "executed");
  faulty = true;
  ExpectFault();
  DepositRequest known = RequestWith("known");
  known.set_amount(1);
  EXPECT_EQ(client_->Call("Change", known, "tenant").result, "INTERNAL");
  faulty = false;
  EXPECT_EQ(Call("token").result, "executed");
}

TEST_F(HandlerFaultsTest, APreparationThatThrows) {
  Make(RuleOptions(kRule));
  hosted_->PreparedMutation<DepositRequest, int, DepositResponse>(
      "Change",
      [](const CallContext&, const DepositRequest&) -> absl::StatusOr<int> { throw std::runtime_error(kSecret); },
      [](const CallContext&, Transaction&, const DepositRequest&, const int&, DepositResponse*) {
        return absl::OkStatus();
      });
  Serve();
  ExpectFault();
}

TEST_F(HandlerFaultsTest, AResolverThatThrows) {
  Make(RuleOptions("token_field: 'client_token' scope { region_field: 'region' resolver: 'places' }"));
  hosted_->AddResolver("places", [](const PlaceHints&) -> absl::StatusOr<Place> { throw std::runtime_error(kSecret); });
  hosted_->Mutation<DepositRequest, DepositResponse>(
      "Change",
      [&](const CallContext&, Transaction&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); });
  Serve();
  ExpectFault();
}

class ReadFaultsTest : public HandlerFaultsTest, public testing::WithParamInterface<ReadLength> {};

TEST_P(ReadFaultsTest, AReadThatThrowsOrRepliesWithWhatNobodyCanParse) {
  Make(ReadOptions());
  std::function<absl::Status(DepositResponse*)> read = [](DepositResponse*) -> absl::Status {
    throw std::runtime_error(kSecret);
  };
  hosted_->Read<DepositRequest, DepositResponse>(
      "Change",
      [&](const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse* reply) {
        return read(reply);
      },
      GetParam());
  Serve();
  ExpectFault();
  read = [](DepositResponse* reply) {
    reply->set_note(kInvalidText);
    return absl::OkStatus();
  };
  ExpectFault();
  read = [](DepositResponse*) { return absl::OkStatus(); };
  EXPECT_EQ(Call("").result, "ok");
}

INSTANTIATE_TEST_SUITE_P(All, ReadFaultsTest, testing::Values(ReadLength::kAny, ReadLength::kShort));

TEST_F(HandlerFaultsTest, AHandlerThatThrowsBeforeItEndsItsCall) {
  Make(ReadOptions());
  hosted_->Serve<DepositRequest, DepositResponse>(
      "Change", [](UnaryCall&, const DepositRequest&) { throw std::runtime_error(kSecret); });
  Serve();
  ExpectFault();
}

TEST_F(HandlerFaultsTest, AHandlerThatThrowsOnceItsCallHasEnded) {
  Make(ReadOptions());
  hosted_->Serve<DepositRequest, DepositResponse>("Change", [](UnaryCall& call, const DepositRequest&) {
    call.Finish(std::string());
    throw std::runtime_error(kSecret);
  });
  Serve();
  EXPECT_EQ(Call("").result, "ok");
}

TEST_F(HandlerFaultsTest, AReadThatBlocksKeepsNoThreadOfItsCallers) {
  Make(ReadOptions());
  absl::Notification go_on;
  int runs = 0;
  hosted_->Read<DepositRequest, DepositResponse>(
      "Change", [&](const CallContext&, const ReadTransaction&, const DepositRequest&, DepositResponse*) {
        go_on.WaitForNotification();
        ++runs;
        return absl::OkStatus();
      });
  Serve();
  const auto blocked = client_->Start("Change", DepositRequest(), "tenant");
  const auto given_up = client_->Start("Change", DepositRequest(), "tenant");
  given_up->Cancel();
  EXPECT_FALSE(blocked->ended());
  go_on.Notify();
  EXPECT_EQ(ReplyTo(*blocked).result, "ok");
  EXPECT_EQ(ReplyTo(*given_up).result, "CANCELLED");  // ChainClient has one reader.
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace hapax
