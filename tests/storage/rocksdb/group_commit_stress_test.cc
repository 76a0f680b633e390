#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/rocksdb/group_commit.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"

// Many threads with transactions drawn at random, and how the threads of GroupCommit meet is left to the machine.
// HAPAX_TEST_ROUNDS says how many rounds there are of each test, HAPAX_TEST_SEED repeats what was drawn.
namespace hapax {
namespace {

constexpr Table kTable = Table::kResources;
constexpr int kCounters = 6;
constexpr int kThreads = 6;
constexpr int kStepsPerThread = 30;

int Rounds() {
  const char* given = std::getenv("HAPAX_TEST_ROUNDS");
  return given != nullptr ? std::atoi(given) : 4;
}

std::string Key(int counter) { return absl::StrCat("counter ", counter); }

int64_t ValueIn(const std::optional<std::string>& row) {
  int64_t value = 0;
  EXPECT_TRUE(!row.has_value() || absl::SimpleAtoi(*row, &value));
  return value;
}

// Transactions on counters, each of which knows what it must see. Each increment of a counter that is
// acknowledged read another value, from 0 on without a gap, whatever else was refused or failed.
class Counters {
 public:
  Counters(RocksDbEngine& engine, size_t max_waiting)
      : engine_(engine), commit_(std::make_unique<GroupCommit>(engine, max_waiting)) {}

  // Begins a transaction; `chain` more are begun by each other's `done`.
  void Begin(std::mt19937_64& random, int chain) {
    ++begun_;
    auto one = std::make_shared<One>();
    one->kind = static_cast<Kind>(random() % 4);
    one->counter = static_cast<int>(random() % kCounters);
    one->random.seed(random());
    group_commit_->Execute([one](Transaction& txn) { return Run(one, txn); },
                           [this, one, chain](const absl::Status& status) {
                             Check(*one, status);
                             if (chain > 0) Begin(one->random, chain - 1);
                             ++told_;
                           });
  }
  // Returns when all that was begun has been told.
  void AwaitIdle() {
    while (told_ != begun_) std::this_thread::yield();
  }

  // Ends while transactions are under way, and checks that each was told, and what all of them came to.
  void End() {
    commit_ = nullptr;
    EXPECT_EQ(told_, begun_);
    absl::MutexLock lock(&mu_);
    for (int counter = 0; counter < kCounters; ++counter) {
      std::vector<int64_t>& seen = seen_[static_cast<size_t>(counter)];
      std::sort(seen.begin(), seen.end());
      for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<int64_t>(i)) << Key(counter);
      EXPECT_EQ(InDatabase(counter), static_cast<int64_t>(seen.size())) << Key(counter);
    }
  }

  [[nodiscard]] int acknowledged() const { return acknowledged_; }

 private:
  enum class Kind { kIncrement, kIncrementWithHook, kRead, kFail };
  struct One {
    Kind kind;
    int counter;
    std::mt19937_64 random;
    int64_t seen = -1;  // By the last run of the body.
    int hook_runs = 0;
    int told = 0;
  };

  static absl::Status Run(const std::shared_ptr<One>& one, Transaction& txn) {
    const auto row = txn.Get(kTable, Key(one->counter));
    if (!row.ok()) return row.status();
    one->seen = ValueIn(*row);
    if (one->kind == Kind::kRead) return absl::OkStatus();
    txn.Put(kTable, Key(one->counter), absl::StrCat(one->seen + 1));
    if (one->kind == Kind::kFail) return absl::AbortedError("drawn");
    if (one->kind == Kind::kIncrementWithHook) txn.OnCommit([one] { ++one->hook_runs; });
    return absl::OkStatus();
  }

  void Check(One& one, const absl::Status& status) {
    EXPECT_EQ(++one.told, 1);
    EXPECT_EQ(one.hook_runs, status.ok() && one.kind == Kind::kIncrementWithHook ? 1 : 0);
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsAborted(status) ? one.kind == Kind::kFail
                                          : absl::IsUnavailable(status) || absl::IsResourceExhausted(status))
          << status;
      if (!absl::IsAborted(status)) return;
    }
    const bool incremented = status.ok() && one.kind != Kind::kRead;
    // What it rests on is durable, so it is in the database, unless that is being opened afresh.
    if (const int64_t now = InDatabase(one.counter); now >= 0) {
      EXPECT_GE(now, one.seen + (incremented ? 1 : 0));
    }
    if (!incremented) return;
    ++acknowledged_;
    absl::MutexLock lock(&mu_);
    seen_[static_cast<size_t>(one.counter)].push_back(one.seen);
  }

  // -1: it cannot be read just now.
  [[nodiscard]] int64_t InDatabase(int counter) const {
    const auto database = engine_.Current();
    if (!database.ok()) return -1;
    const auto row = (*database)->Get(kTable, Key(counter), nullptr);
    return row.ok() ? ValueIn(*row) : -1;
  }

  RocksDbEngine& engine_;
  std::unique_ptr<GroupCommit> commit_;
  GroupCommit* const group_commit_ = commit_.get();  // Also while it is destroyed.
  std::atomic<int> begun_ = 0;
  std::atomic<int> told_ = 0;
  std::atomic<int> acknowledged_ = 0;
  absl::Mutex mu_;
  // What the acknowledged increments of each counter read.
  std::array<std::vector<int64_t>, kCounters> seen_ ABSL_GUARDED_BY(mu_);
};

class GroupCommitStressTest : public testing::Test {
 protected:
  ~GroupCommitStressTest() override { SetDiskSyncHook(nullptr); }

  // Syncs take a moment, another one each time, and never reach the machine's disk. From `fail_every` on
  // each sync of that number fails; 0: none does.
  static void UseDisk(uint64_t fail_every) {
    SetDiskSyncHook([fail_every, syncs = std::make_shared<std::atomic<uint64_t>>(0)](int) {
      const uint64_t sync = ++*syncs;
      for (uint64_t i = sync * 7 % 5; i > 0; --i) std::this_thread::yield();
      return fail_every != 0 && sync % fail_every == 0 ? EIO : kSkipSync;
    });
  }

  // Calls one at a time, so that all threads of GroupCommit fall asleep in between, and bursts, by each of the threads;
  // returns while some of them may be under way.
  static void Load(Counters& counters, uint64_t seed) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&counters, random = std::mt19937_64(seed + static_cast<uint64_t>(i))]() mutable {
        for (int step = 0; step < kStepsPerThread; ++step) {
          const int burst = random() % 3 == 0 ? 1 : static_cast<int>(random() % 40);
          for (int j = 0; j < burst; ++j) counters.Begin(random, static_cast<int>(random() % 4));
          if (random() % 2 == 0) counters.AwaitIdle();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  const uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
};

TEST_F(GroupCommitStressTest, EveryCallIsToldOnceAndDestructionMeetsThemAtAnyMoment) {
  for (int round = 0; round < Rounds(); ++round) {
    const TempDir dir;
    UseDisk(/*fail_every=*/0);
    const auto engine = *RocksDbEngine::Open({.path = dir.Path("data")});
    Counters counters(*engine, /*max_waiting=*/2'000);
    Load(counters, random_());
    // More than fits into a group.
    for (int i = 0; i < 1'500; ++i) counters.Begin(random_, /*chain=*/2);
    counters.End();
    EXPECT_GT(counters.acknowledged(), 0);
  }
}

// Nobody is left asleep when there is something to do: each of these calls would wait for ever.
TEST_F(GroupCommitStressTest, LoneCallsAreNeverForgotten) {
  const TempDir dir;
  UseDisk(/*fail_every=*/0);
  const auto engine = *RocksDbEngine::Open({.path = dir.Path("data")});
  Counters counters(*engine, /*max_waiting=*/2'000);
  for (int i = 0; i < 500 * Rounds(); ++i) {
    for (uint64_t j = random_() % 3; j > 0; --j) counters.Begin(random_, /*chain=*/static_cast<int>(random_() % 3));
    if (random_() % 4 != 0) counters.AwaitIdle();
  }
  counters.End();
}

TEST_F(GroupCommitStressTest, DestructionRightAfterConstructionOrTheFirstCallsEnds) {
  const TempDir dir;
  UseDisk(/*fail_every=*/0);
  const auto engine = *RocksDbEngine::Open({.path = dir.Path("data")});
  std::atomic<int> told = 0;
  int begun = 0;
  for (int i = 0; i < 200 * Rounds(); ++i) {
    GroupCommit commit(*engine, /*max_waiting=*/10);
    for (uint64_t j = random_() % 4; j > 0; --j, ++begun) {
      commit.Execute([](Transaction&) { return absl::OkStatus(); }, [&told](const absl::Status&) { ++told; });
    }
  }
  EXPECT_EQ(told, begun);
}

TEST_F(GroupCommitStressTest, CountersStayExactWhileSyncsFail) {
  for (int round = 0; round < Rounds(); ++round) {
    const TempDir dir;
    UseDisk(/*fail_every=*/0);
    const auto engine = *RocksDbEngine::Open({.path = dir.Path("data"), .probe_interval = absl::Milliseconds(1)});
    Counters counters(*engine, /*max_waiting=*/100);
    UseDisk(/*fail_every=*/100 + random_() % 200);
    Load(counters, random_());
    UseDisk(/*fail_every=*/0);
    counters.AwaitIdle();
    // One that has failed is handed out until it is opened afresh.
    const auto is_sound = [&] {
      const auto database = engine->Current();
      return database.ok() && !(*database)->failed();
    };
    while (!is_sound()) std::this_thread::yield();
    counters.End();
  }
}

}  // namespace
}  // namespace hapax
