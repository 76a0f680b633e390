#include "hapax/tests/interceptors/durable_chain.h"

#include <utility>

#include "gmock/gmock.h"
#include "hapax/base/check.h"
#include "hapax/storage/blocking.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {

std::string NameOfUpkeep(const testing::TestParamInfo<Upkeep>& upkeep) {
  switch (upkeep.param) {
    case Upkeep::kNone:
      return "Undisturbed";
    case Upkeep::kCompaction:
      return "Compacted";
    case Upkeep::kRestart:
      return "Restarted";
    case Upkeep::kCompactionAndRestart:
      return "CompactedAndRestarted";
  }
  HAPAX_CHECK(false, "an Upkeep is one of its values");
}

DurableChainTest::DurableChainTest() { Start(); }

void DurableChainTest::Start() {
  store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = &expiry_}).value();
  chain_ = std::make_unique<TestChain>(
      *store_, TestChain::Options{.policy = policy_, .clock = &clock_, .seal_key_file = seal_key_file_});
}

void DurableChainTest::Compact() { ASSERT_THAT(store_->Compact(), IsOk()); }

void DurableChainTest::Restart() {
  chain_.reset();
  store_.reset();
  Start();
}

void DurableChainTest::RestartWith(const TokenPolicy& policy) {
  policy_ = policy;
  Restart();
}

void DurableChainTest::RestartWithKeys(const std::string& seal_key_file) {
  seal_key_file_ = seal_key_file;
  Restart();
}

void DurableChainTest::Do(Upkeep upkeep) {
  switch (upkeep) {
    case Upkeep::kNone:
      return;
    case Upkeep::kCompaction:
      return Compact();
    case Upkeep::kRestart:
      return Restart();
    case Upkeep::kCompactionAndRestart:
      Compact();
      return Restart();
  }
}

TokenKey DurableChainTest::KeyOf(const std::string& token) {
  return {.tenant = "default", .region = kDefaultRegion, .zone = "", .token = token};
}

std::optional<store::v1::TokenRecord> DurableChainTest::Record(const TokenKey& key) {
  std::optional<store::v1::TokenRecord> record;
  EXPECT_THAT(QueryAndWait(*store_,
                           [&](const ReadTransaction& txn) {
                             auto found = FindToken(txn, key);
                             if (found.ok()) record = *std::move(found);
                             return found.status();
                           }),
              IsOk());
  return record;
}

void DurableChainTest::PutRecord(const TokenKey& key, const store::v1::TokenRecord& record) {
  ASSERT_THAT(ExecuteAndWait(*store_,
                             [&](Transaction& txn) {
                               PutToken(txn, key, record);
                               return absl::OkStatus();
                             }),
              IsOk());
}

}  // namespace hapax
