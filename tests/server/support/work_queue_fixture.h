#ifndef HAPAX_TESTS_SERVER_SUPPORT_WORK_QUEUE_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_WORK_QUEUE_FIXTURE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/log_lines_logger.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "prometheus/registry.h"

namespace hapax {

inline constexpr char kKind[] = "test.work";
inline constexpr char kService[] = "test.v1.Service";  // Whose work it is.
// A work queue with one driver, on a store that can be closed and opened again.
class WorkQueueTest : public testing::Test {
 protected:
  WorkQueueTest() { Start(); }
  ~WorkQueueTest() override { End(); }

  void Start() {
    store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
    queue_ = std::make_unique<WorkQueue>(*store_, clock_, *logger_, options_);
    queue_->AddDriver(kKind, kService, driver_);
  }
  // As at the end of a server: what is held then is never done.
  void End() {
    queue_->Stop();
    static_cast<void>(driver_.TakeHeld());
    store_.reset();
  }
  void Restart() {
    End();
    Start();
  }

  Store::Body Schedule(std::vector<std::string> subjects) {
    return [this, subjects = std::move(subjects)](Transaction& txn) -> absl::Status {
      for (const std::string& subject : subjects) HAPAX_RETURN_IF_ERROR(queue_->Schedule(txn, kKind, subject));
      return absl::OkStatus();
    };
  }
  void MustSchedule(std::vector<std::string> subjects) {
    ASSERT_THAT(Execute(*store_, Schedule(std::move(subjects))), IsOk());
  }

  // Subjects of the work that is written down as open.
  std::vector<std::string> Open() {
    std::vector<std::string> subjects;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, std::string_view value) {
                          store::v1::WorkRecord record;
                          EXPECT_THAT(DecodeRow(key, value, &record), IsOk());
                          subjects.push_back(record.subject());
                          return true;
                        });
                      }),
                IsOk());
    return subjects;
  }

  // How often the subject was completed.
  std::string Completions(const std::string& subject) {
    std::string count = "0";
    EXPECT_THAT(QueryAs(kService, *store_,
                        [&](const ReadTransaction& txn) {
                          const auto row = txn.Get(Table::kResources, subject);
                          if (row.ok()) count = row->value_or("0");
                          return row.status();
                        }),
                IsOk());
    return count;
  }

  const TempDir dir_;
  ManualClock clock_;
  const LogLines log_;
  const std::unique_ptr<spdlog::logger> logger_ = LoggerTo(log_);
  prometheus::Registry registry_;
  WorkQueue::Options options_ = {.sole_server = true,
                                 .retry_delay = absl::Milliseconds(1),
                                 .first_backoff = absl::Milliseconds(1),
                                 .registry = &registry_};
  ScriptedDriver driver_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<WorkQueue> queue_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_WORK_QUEUE_FIXTURE_H_
