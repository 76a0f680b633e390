#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/grpc/grpc_call.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/test_seed.h"

// Few calls at a time, so that replies go out from the store's threads, and whatever may meet them there: the client
// cancels, its deadline passes, its connection is gone, the server ends.
// HAPAX_TEST_ROUNDS says how many rounds there are, HAPAX_TEST_SEED repeats what was drawn.
namespace hapax {
namespace {

constexpr char kDeposit[] = "/hapax.test.v1.Ledger/Deposit";
constexpr char kGetBalance[] = "/hapax.test.v1.Ledger/GetBalance";
constexpr int kAmount = 5;

int Rounds() {
  const char* given = std::getenv("HAPAX_TEST_ROUNDS");
  return given != nullptr ? std::atoi(given) : 3;
}

std::string Deposit(const std::string& token) {
  return FromText<test::v1::DepositRequest>(absl::StrCat("client_token: '", token, "' account: 'a' amount: ", kAmount))
      .SerializeAsString();
}

// A client that makes one call after another, each with a token of its own or again with an earlier one, and gives up
// some of them.
class Impatient {
 public:
  Impatient(std::string name, uint64_t seed) : name_(std::move(name)), random_(seed) {}

  void Call(int port, int count) {
    std::optional<RawClient> client(port);
    for (int i = 0; i < count; ++i) {
      if (random_() % 50 == 0) client.emplace(port);
      const bool again = !replies_.empty() && random_() % 3 == 0;
      const std::string token = again ? replies_.rbegin()->first : absl::StrFormat("%s-%06d", name_, next_++);
      Learn(token, One(*client, token));
    }
  }
  // With each token, until there is a reply.
  void Settle(int port) {
    const RawClient client(port);
    for (const auto& [token, reply] : replies_) {
      const RawReply last = client.Call(kDeposit, Deposit(token));
      ASSERT_TRUE(last.status.ok()) << last.status.error_message();
      Learn(token, last);
    }
  }
  [[nodiscard]] size_t token_count() const { return replies_.size(); }

 private:
  RawReply One(const RawClient& client, const std::string& token) {
    const bool has_deadline = random_() % 4 == 0;
    const auto pending =
        client.Start(kDeposit, Deposit(token), {},
                     has_deadline ? absl::Microseconds(100 + random_() % 2'000) : absl::InfiniteDuration());
    if (random_() % 3 == 0) {
      for (uint64_t i = random_() % 200; i > 0; --i) std::this_thread::yield();
      pending->Cancel();
    }
    return pending->Wait();
  }

  void Learn(const std::string& token, const RawReply& reply) {
    std::string& known = replies_[token];
    if (!reply.status.ok()) return;
    if (known.empty()) known = reply.bytes;
    EXPECT_EQ(reply.bytes, known) << token;
  }

  const std::string name_;
  std::mt19937_64 random_;
  int next_ = 0;
  std::map<std::string, std::string> replies_;  // By token; empty: none so far.
};

TEST(GrpcCallStressTest, C11RepliesFromTheStoresThreadsMeetCancellationsDeadlinesAndTheServersEnd) {
  constexpr int kClients = 2;
  constexpr int kCalls = 150;
  std::mt19937_64 random(TestSeed());
  TestLedger ledger;
  std::vector<Impatient> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back(absl::StrCat("client", i), random());
  for (int round = 0; round < Rounds(); ++round) {
    const int port = ledger.port();
    std::vector<std::thread> threads;
    for (Impatient& client : clients) threads.emplace_back([&client, port] { client.Call(port, kCalls); });
    for (uint64_t i = random() % 20'000; i > 0; --i) std::this_thread::yield();
    ledger.Restart();  // While they call; the rest of their calls finds nobody.
    for (std::thread& thread : threads) thread.join();
  }
  size_t tokens = 0;
  for (Impatient& client : clients) {
    client.Settle(ledger.port());
    tokens += client.token_count();
  }
  test::v1::GetBalanceResponse response;
  const RawReply balance =
      RawClient(ledger.port())
          .Call(kGetBalance, FromText<test::v1::GetBalanceRequest>("account: 'a'").SerializeAsString());
  ASSERT_TRUE(response.ParseFromString(balance.bytes));
  EXPECT_EQ(response.balance(), static_cast<int64_t>(tokens) * kAmount);
}

}  // namespace
}  // namespace hapax
