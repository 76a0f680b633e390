#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_quota.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/server/hosting/token_policy_history.h"
#include "hapax/storage/memory/store.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/storage/remote/store.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/storage/remote/cluster_backend.h"
#include "hapax/tests/storage/remote/limited_backend.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/watched_store.h"

// Starts with more tokens than a transaction may read.
namespace hapax {
namespace {

constexpr int kTenants = 150;  // More than are counted in one transaction.
constexpr int kTokens = 700;
constexpr absl::Duration kLife = absl::Hours(24 * 31);
constexpr TokenPolicy kLimited = {.max_tokens_per_tenant = 1'000};

struct Tables {
  TempDir dir;
  std::shared_ptr<SharedCluster> cluster = std::make_shared<SharedCluster>();
  std::shared_ptr<Store> embedded;
};

struct Engine {
  std::string name;
  // The store of a server, by its number.
  std::shared_ptr<Store> (*open)(Tables& tables, int server);
};
std::ostream& operator<<(std::ostream& out, const Engine& engine) { return out << engine.name; }

std::shared_ptr<Store> OpenRemote(Tables& tables, int server) {
  const RemoteLimits small = {.max_reads = 300, .max_writes = 300, .max_bytes = 1 << 17};
  return std::make_shared<RemoteStore>(
      std::make_unique<LimitedBackend>(std::make_unique<ClusterBackend>(tables.cluster), small),
      RemoteOptions{.slot = absl::StrCat("server ", server), .owner = absl::StrCat("owner ", server)});
}
std::shared_ptr<Store> OpenMemory(Tables& tables, int) {
  if (tables.embedded == nullptr) tables.embedded = MakeMemoryStore();
  return tables.embedded;
}
std::shared_ptr<Store> OpenRocksDb(Tables& tables, int) {
  if (tables.embedded == nullptr) tables.embedded = OpenRocksDbStore({.path = tables.dir.Path("data")}).value();
  return tables.embedded;
}

std::string TenantName(int number) { return absl::StrCat("tenant ", 1000 + number); }

class ManyTokensTest : public testing::TestWithParam<Engine> {
 protected:
  using Counts = std::map<std::string, int64_t>;

  // Stores a token, and counts it under this policy; an abandoned one is counted always.
  absl::Status Put(Transaction& txn, int tenant, const std::string& token, bool is_abandoned,
                   const TokenPolicy& policy) const {
    const absl::Time now = clock_.Now();
    store::v1::TokenRecord record;
    if (is_abandoned) {
      *record.mutable_abandoned_at() = ToTimestamp(now);
    } else {
      *record.mutable_executed_at() = ToTimestamp(now);
      *record.mutable_forget_at() = ToTimestamp(now + kLife);
    }
    PutToken(txn, {.tenant = TenantName(tenant), .region = "here", .zone = "", .token = token}, record);
    return is_abandoned ? CountAbandonedToken(policy, TenantName(tenant), txn)
                        : CountToken(policy, TenantName(tenant), now + kLife, now, txn);
  }
  void StoreOne(Store& store, int tenant, const std::string& token, bool is_abandoned, const TokenPolicy& policy) {
    ASSERT_THAT(Execute(store, [&](Transaction& txn) { return Put(txn, tenant, token, is_abandoned, policy); }),
                IsOk());
    ++(is_abandoned ? abandoned_ : stored_)[TenantName(tenant)];
  }
  // As servers without a limit leave it. Fifty in a transaction, to save time.
  void StoreMany(Store& store) {
    constexpr int kAtOnce = 50;
    for (int first = 0; first < kTokens; first += kAtOnce) {
      ASSERT_THAT(Execute(store,
                          [&](Transaction& txn) {
                            for (int i = first; i < first + kAtOnce; ++i) {
                              const absl::Status status = Put(txn, i % kTenants, absl::StrCat("t", i), i % 10 == 0, {});
                              if (!status.ok()) return status;
                            }
                            return absl::OkStatus();
                          }),
                  IsOk());
      for (int i = first; i < first + kAtOnce; ++i) ++(i % 10 == 0 ? abandoned_ : stored_)[TenantName(i % kTenants)];
    }
  }
  // The start of a server with a limit.
  void Start(Store& store) {
    TokenTime time(clock_);
    ASSERT_THAT(time.Load(store, {.shortest_life = kLife}), IsOk());
    ASSERT_THAT(CompletePolicy(kLimited, {}, store, time), IsOk());
  }
  // What is counted for each tenant that has some, of `count`.
  Counts Counted(const std::function<absl::StatusOr<int64_t>(const std::string&, const ReadTransaction&)>& count) {
    Counts counts;
    for (int i = 0; i < kTenants; ++i) {
      EXPECT_THAT(Query(*store_,
                        [&](const ReadTransaction& txn) {
                          const absl::StatusOr<int64_t> number = count(TenantName(i), txn);
                          if (number.value_or(0) != 0) counts[TenantName(i)] = *number;
                          return number.status();
                        }),
                  IsOk());
    }
    return counts;
  }
  void ExpectExactCounts() {
    EXPECT_EQ(Counted([&](const std::string& tenant, const ReadTransaction& txn) {
                return StoredTokens(tenant, clock_.Now(), txn);
              }),
              stored_);
    Counts abandoned =
        Counted([&](const std::string& tenant, const ReadTransaction& txn) { return AbandonedTokens(tenant, txn); });
    EXPECT_EQ(abandoned, abandoned_);
  }

  ManualClock clock_;
  Tables tables_;
  const std::shared_ptr<Store> store_ = GetParam().open(tables_, 1);
  const std::shared_ptr<Store> other_ = GetParam().open(tables_, 2);
  Counts stored_;  // By tenant.
  Counts abandoned_;
};

TEST_P(ManyTokensTest, C32_AStartCountsThemInPages) {
  StoreMany(*store_);
  WatchedStore watched(*store_);
  Start(watched);
  ExpectExactCounts();
  EXPECT_LE(watched.most_rows(), kPageRows);
  EXPECT_EQ(watched.executed(), 5) << "one for the time, two to count, and the policy's before and after";
}

TEST_P(ManyTokensTest, C29_AStoreWithoutItsTimeBeginsAtTheNewestOfAllPages) {
  for (int i = 0; i < 300; ++i) StoreOne(*store_, 0, absl::StrCat("t", i), false, TokenPolicy());
  clock_.Advance(absl::Hours(5));
  StoreOne(*store_, 0, "t255b", false, TokenPolicy());
  const absl::Time newest = clock_.Now();
  clock_.Jump(absl::Hours(24 * 40));
  TokenTime time(clock_);
  WatchedStore watched(*store_);
  ASSERT_THAT(time.Load(watched, {.shortest_life = kLife}), IsOk());
  EXPECT_EQ(time.Now(), newest + TokenTime::kMaxStepAcrossBoots);
  EXPECT_LE(watched.most_rows(), kPageRows);
}

// The write transactions of a start that counts: the policy's, two pages of tenants, the policy's again.
constexpr int kTransactionsOfCount = 4;

// Another server starts, and stores tokens, at each moment of a start.
TEST_P(ManyTokensTest, C32_CountsAreExactThoughAnotherServerStartsAndStoresMeanwhile) {
  StoreMany(*store_);
  TokenTime time(clock_);
  ASSERT_THAT(time.Load(*store_, {.shortest_life = kLife}), IsOk());
  for (int moment = 1; moment <= kTransactionsOfCount; ++moment) {
    SCOPED_TRACE(moment);
    // As after a start without a limit.
    ASSERT_THAT(CompletePolicy(TokenPolicy(), {}, *store_, time), IsOk());
    WatchedStore watched(*store_, [&](int number) {
      if (number != moment) return;
      Start(*other_);
      for (const int tenant : {0, kTenants - 1}) {
        StoreOne(*other_, tenant, absl::StrCat("new ", moment), false, kLimited);
        StoreOne(*other_, tenant, absl::StrCat("abandoned ", moment), true, kLimited);
      }
    });
    ASSERT_THAT(CompletePolicy(kLimited, {}, watched, time), IsOk());
    EXPECT_GE(watched.executed(), moment);
    ExpectExactCounts();
  }
}

// Abandoned tokens are counted by servers without a limit, too.
TEST_P(ManyTokensTest, C20_NoneThatIsAbandonedDuringTheCountIsLost) {
  StoreMany(*store_);
  TokenTime time(clock_);
  ASSERT_THAT(time.Load(*store_, {.shortest_life = kLife}), IsOk());
  WatchedStore watched(*store_, [&](int number) {
    StoreOne(*other_, 0, absl::StrCat("abandoned ", number), true, TokenPolicy());
    StoreOne(*other_, kTenants - 1, absl::StrCat("abandoned ", number), true, TokenPolicy());
  });
  ASSERT_THAT(CompletePolicy(kLimited, {}, watched, time), IsOk());
  EXPECT_EQ(watched.executed(), kTransactionsOfCount);
  ExpectExactCounts();
}

INSTANTIATE_TEST_SUITE_P(Engines, ManyTokensTest,
                         testing::Values(Engine{"Memory", OpenMemory}, Engine{"RocksDb", OpenRocksDb},
                                         Engine{"Remote", OpenRemote}),
                         [](const testing::TestParamInfo<Engine>& engine) { return engine.param.name; });

}  // namespace
}  // namespace hapax
