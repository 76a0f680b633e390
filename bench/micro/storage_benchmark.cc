// The cost of the store: rows, look-ups of tokens, commits.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/random/random.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "benchmark/benchmark.h"
#include "hapax/base/timestamps.h"
#include "hapax/bench/filled_token.h"
#include "hapax/bench/micro/scratch.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/store.h"

namespace hapax::bench {
namespace {

constexpr uint64_t kTokens = 100'000;
constexpr uint64_t kBatch = 1'000;
constexpr uint64_t kSeed = 1;
constexpr uint64_t kOtherSeed = 2;

TokenKey KeyOf(const FilledToken& token) {
  return {.tenant = "default", .region = "us-east-1", .zone = "us-east-1a", .token = token.ToString()};
}

// A record as large as that of a launch.
store::v1::TokenRecord Record() {
  store::v1::TokenRecord record;
  record.set_method("hapax.compute.v1.Compute/RunInstances");
  record.mutable_fingerprint()->set_version(1);
  record.mutable_fingerprint()->set_exact(std::string(16, 'x'));
  for (int number : {3, 9}) {
    record.mutable_fingerprint()->add_fields()->set_number(number);
    record.mutable_fingerprint()->mutable_fields()->rbegin()->set_digest(UINT64_MAX);
  }
  *record.mutable_executed_at() = ToTimestamp(absl::Now());
  *record.mutable_expires_at() = ToTimestamp(absl::Now() + absl::Hours(24));
  *record.mutable_forget_at() = ToTimestamp(absl::Now() + absl::Hours(24 * 31));
  record.set_reply(std::string(200, 'r'));
  return record;
}

void EncodeTokenRow(benchmark::State& state) {
  const TokenKey token = KeyOf(FilledToken::At(kSeed, 0));
  const store::v1::TokenRecord record = Record();
  while (state.KeepRunning()) benchmark::DoNotOptimize(EncodeRow(EncodeTokenKey(token), record));
}
BENCHMARK(EncodeTokenRow);

void DecodeTokenRow(benchmark::State& state) {
  const std::string key = EncodeTokenKey(KeyOf(FilledToken::At(kSeed, 0)));
  const std::string row = EncodeRow(key, Record());
  while (state.KeepRunning()) {
    store::v1::TokenRecord record;
    benchmark::DoNotOptimize(DecodeRow(key, row, &record).ok());
  }
}
BENCHMARK(DecodeTokenRow);

enum class Where { kMemtable, kFiles };

// A store with kTokens tokens.
class TokenStore {
 public:
  explicit TokenStore(Where where) : store_(OpenRocksDbStore({.path = scratch_.Path("data")}).value()) {
    const store::v1::TokenRecord record = Record();
    for (uint64_t begin = 0; begin < kTokens; begin += kBatch) {
      const absl::Status put = ExecuteAndWait(*store_, [&](Transaction& txn) {
        for (uint64_t i = begin; i < begin + kBatch; ++i) PutToken(txn, KeyOf(FilledToken::At(kSeed, i)), record);
        return absl::OkStatus();
      });
      if (!put.ok()) std::abort();
    }
    if (where == Where::kFiles && !store_->Compact().ok()) std::abort();
  }

  [[nodiscard]] Store& store() { return *store_; }

 private:
  const Scratch scratch_;
  const std::unique_ptr<Store> store_;
};

// Looks up a random token in its own transaction, like a retry.
void LookUpToken(benchmark::State& state, Where where, uint64_t seed) {
  TokenStore tokens(where);
  absl::InsecureBitGen random;
  uint64_t found = 0;
  while (state.KeepRunning()) {
    const TokenKey key = KeyOf(FilledToken::At(seed, absl::Uniform<uint64_t>(random, 0, kTokens)));
    tokens.store().Query(
        [&](const ReadTransaction& txn) {
          const auto record = FindToken(txn, key);
          if (record.ok() && record->has_value()) ++found;
          return record.status();
        },
        [](const absl::Status&) {});
  }
  const uint64_t expected = seed == kSeed ? static_cast<uint64_t>(state.iterations()) : 0;
  if (found != expected) state.SkipWithError("a look-up found something else");
}
BENCHMARK_CAPTURE(LookUpToken, hit_in_memtable, Where::kMemtable, kSeed);
BENCHMARK_CAPTURE(LookUpToken, miss_in_memtable, Where::kMemtable, kOtherSeed);
BENCHMARK_CAPTURE(LookUpToken, hit_in_files, Where::kFiles, kSeed);
BENCHMARK_CAPTURE(LookUpToken, miss_in_files, Where::kFiles, kOtherSeed);

// Runs this many transactions at once, each of which puts a token, until all are durable.
void Commit(benchmark::State& state, const char* parent) {
  const Scratch scratch(parent);
  const auto store = OpenRocksDbStore({.path = scratch.Path("data")}).value();
  const store::v1::TokenRecord record = Record();
  const auto transactions = static_cast<int>(state.range(0));
  uint64_t next = 0;
  std::atomic<int> failed = 0;
  while (state.KeepRunning()) {
    absl::BlockingCounter open(transactions);
    for (int i = 0; i < transactions; ++i) {
      store->Execute(
          [&, token = FilledToken::At(kSeed, next++)](Transaction& txn) {
            PutToken(txn, KeyOf(token), record);
            return absl::OkStatus();
          },
          [&](const absl::Status& status) {
            if (!status.ok()) ++failed;
            open.DecrementCount();
          });
    }
    open.Wait();
  }
  if (failed > 0) state.SkipWithError("a commit failed");
  state.SetItemsProcessed(state.iterations() * transactions);
}
BENCHMARK_CAPTURE(Commit, disk, "/tmp")->Arg(1)->Arg(16)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(Commit, memory, "/dev/shm")->Arg(1)->Arg(16)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace hapax::bench
