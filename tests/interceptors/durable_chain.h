#ifndef HAPAX_TESTS_INTERCEPTORS_DURABLE_CHAIN_H_
#define HAPAX_TESTS_INTERCEPTORS_DURABLE_CHAIN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_policy.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_service.h"

namespace hapax {

// What happens to a server now and then, and that no client may notice.
enum class Upkeep {
  kNone,
  kCompaction,
  kRestart,
  kCompactionAndRestart,
};

inline constexpr Upkeep kAllUpkeep[] = {Upkeep::kNone, Upkeep::kCompaction, Upkeep::kRestart,
                                        Upkeep::kCompactionAndRestart};
// The end of a test's name.
[[nodiscard]] std::string NameOfUpkeep(const testing::TestParamInfo<Upkeep>& upkeep);

// The chain over a store that can be compacted, and ended and started again on the same data: with one clock for
// both, and one key file.
class DurableChainTest : public testing::Test {
 protected:
  DurableChainTest();

  void Compact();
  void Restart();
  // Restarts with another policy, or key file.
  void RestartWith(const TokenPolicy& policy);
  void RestartWithKeys(const std::string& seal_key_file);
  void Do(Upkeep upkeep);

  [[nodiscard]] Answer Call(const Method& method, const std::string& item, const std::string& token) {
    return chain_->Call(method, OrderOf(item, token));
  }
  [[nodiscard]] Answer Place(const std::string& item, const std::string& token) {
    return Call(service_.place_order(), item, token);
  }
  [[nodiscard]] std::vector<std::string> Orders() { return DurableOrders(*store_); }

  // The key of a token that is used with OrderOf.
  [[nodiscard]] static TokenKey KeyOf(const std::string& token);
  [[nodiscard]] std::optional<store::v1::TokenRecord> Record(const TokenKey& key);
  void PutRecord(const TokenKey& key, const store::v1::TokenRecord& record);

  const TempDir dir_;
  ManualClock clock_;
  const TokenExpiry expiry_{clock_};
  TestService service_;
  TokenPolicy policy_;
  std::string seal_key_file_ = SealKeys::NewFile("test");
  std::unique_ptr<Store> store_;
  std::unique_ptr<TestChain> chain_;

 private:
  void Start();
};

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_DURABLE_CHAIN_H_
