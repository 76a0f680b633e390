#ifndef HAPAX_TESTS_SERVER_SUPPORT_WORK_LEASE_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_WORK_LEASE_FIXTURE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_leases.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {

inline constexpr char kKind[] = "test.work";
inline constexpr char kService[] = "test.v1.Service";
inline constexpr absl::Duration kLease = absl::Hours(1);

// A store that a server can be cut off from, as by its death: it then neither reads nor writes.
class CuttableStore final : public Store {
 public:
  explicit CuttableStore(Store& store) : store_(store) {}
  void Cut() { cut_ = true; }

  void Execute(Body body, Done done, std::string_view party) override {
    if (cut_) return std::move(done)(absl::UnavailableError("cut off"));
    store_.Execute(std::move(body), std::move(done), party);
  }
  void Query(ReadBody body, Done done) override {
    if (cut_) return std::move(done)(absl::UnavailableError("cut off"));
    store_.Query(std::move(body), std::move(done));
  }

 private:
  Store& store_;
  std::atomic<bool> cut_ = false;
};

// Lets something happen before each query, such as a look at the leases.
class HookedStore final : public Store {
 public:
  explicit HookedStore(Store& store) : store_(store) {}
  void BeforeQueries(std::function<void()> hook) { hook_ = std::move(hook); }

  void Execute(Body body, Done done, std::string_view party) override {
    store_.Execute(std::move(body), std::move(done), party);
  }
  void Query(ReadBody body, Done done) override {
    if (hook_ != nullptr) hook_();
    store_.Query(std::move(body), std::move(done));
  }

 private:
  Store& store_;
  std::function<void()> hook_;
};

class TestServer {
 public:
  explicit TestServer(Store& store, WorkQueue::Options options = {.lease = kLease,
                                                                  .retry_delay = absl::Milliseconds(1),
                                                                  .first_backoff = absl::Milliseconds(1)})
      : whole_store_(store), store_(store), queue_(store_, clock_, *logger_, options) {
    queue_.AddDriver(kKind, kService, driver_);
  }
  ~TestServer() { static_cast<void>(driver_.TakeHeld()); }

  [[nodiscard]] int Resume() {
    const absl::StatusOr<int> count = queue_.Resume();
    EXPECT_THAT(count, IsOk());
    return count.value_or(-1);
  }
  // As a call does.
  void Schedule(const std::vector<std::string>& subjects) {
    ASSERT_THAT(Execute(whole_store_,
                        [&](Transaction& txn) {
                          for (const std::string& subject : subjects) {
                            HAPAX_RETURN_IF_ERROR(queue_.Schedule(txn, kKind, subject));
                          }
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  void Die() { store_.Cut(); }
  // Time passes, and it looks at the leases.
  void LookAfter(absl::Duration time) {
    clock_.Advance(time);
    queue_.TendLeases();
  }

  [[nodiscard]] WorkQueue& queue() { return queue_; }
  [[nodiscard]] ManualClock& clock() { return clock_; }
  [[nodiscard]] ScriptedDriver& driver() { return driver_; }

 private:
  Store& whole_store_;
  CuttableStore store_;
  ManualClock clock_;
  const std::unique_ptr<spdlog::logger> logger_ = NullLogger();
  ScriptedDriver driver_;
  WorkQueue queue_;
};

class WorkQueueLeaseTest : public testing::Test {
 protected:
  // What each open piece of work says of itself.
  std::vector<store::v1::WorkRecord> Open() {
    std::vector<store::v1::WorkRecord> records;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
                          EXPECT_THAT(DecodeRow(key, value, &records.emplace_back()), IsOk());
                          return true;
                        });
                      }),
                IsOk());
    return records;
  }
  // The holders that have a lease.
  std::vector<std::string> Leases() {
    const std::string prefix = KeyBuilder().String("work_lease").Build();
    std::vector<std::string> holders;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kMeta, KeyRange::Prefix(prefix), [&](std::string_view key, auto) {
                          holders.push_back(*KeyParser(key.substr(prefix.size())).String());
                          return true;
                        });
                      }),
                IsOk());
    return holders;
  }
  // How often the subject was completed, by all servers.
  std::string Completions(const std::string& subject) {
    std::string count;
    EXPECT_THAT(QueryAs(kService, *store_,
                        [&](const ReadTransaction& txn) {
                          const auto row = txn.Get(Table::kResources, subject);
                          if (row.ok()) count = row->value_or("0");
                          return row.status();
                        }),
                IsOk());
    return count;
  }
  // Work that `server` began, and that another has taken up because it is late.
  void LetTakeOver(TestServer& server, TestServer& other, const std::string& subject) {
    server.Schedule({subject});
    other.LookAfter(absl::ZeroDuration());
    other.LookAfter(kLease);
    ASSERT_THAT(other.driver().performed(), testing::ElementsAre(subject));
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_WORK_LEASE_FIXTURE_H_
