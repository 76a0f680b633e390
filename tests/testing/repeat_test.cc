#include "hapax/testing/repeat.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/memory/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/null_sink.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kService[] = "test.v1.Service";
constexpr Table kTable = Table::kResources;

class RepeatTest : public testing::Test {
 protected:
  absl::Status Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    return ExecuteTwice(*store_, kService, body, &ids_);
  }
  // Of the service's table.
  std::string Row(const std::string& key) {
    std::string row;
    EXPECT_THAT(QueryAs(kService, *store_,
                        [&](const ReadTransaction& txn) {
                          const auto value = txn.Get(kTable, key);
                          if (value.ok()) row = value->value_or("none");
                          return value.status();
                        }),
                IsOk());
    return row;
  }

  ManualClock clock_;
  CountedIds ids_;
  const std::unique_ptr<Store> store_ = MakeMemoryStore();
};

TEST_F(RepeatTest, AnHonestBodyIsCommittedOnceAndItsHooksRunOnce) {
  int runs = 0;
  int hooks_run = 0;
  const auto append = [&](Transaction& txn) {
    ++runs;
    txn.Put(kTable, "key", txn.Get(kTable, "key")->value_or("") + "x");
    txn.OnCommit([&] { ++hooks_run; });
    return absl::OkStatus();
  };
  EXPECT_THAT(Run(append), IsOk());
  EXPECT_EQ(Row("key"), "x");
  EXPECT_THAT(Run(append), IsOk());
  EXPECT_EQ(Row("key"), "xx");
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(hooks_run, 2);
}

TEST_F(RepeatTest, ABodySeesItsOwnWritesAndNoneOfTheOtherRuns) {
  EXPECT_THAT(Run([](Transaction& txn) {
                txn.Put(kTable, "b", "old");
                txn.Put(kTable, "c", "old");
                return absl::OkStatus();
              }),
              IsOk());
  EXPECT_THAT(Run([](Transaction& txn) {
                EXPECT_THAT(txn.Get(kTable, "a"), IsOkAndHolds(std::nullopt));
                txn.Put(kTable, "a", "new");
                txn.Delete(kTable, "b");
                std::string seen;
                EXPECT_THAT(txn.Scan(kTable, KeyRange(),
                                     [&](std::string_view key, std::string_view value) {
                                       absl::StrAppend(&seen, std::string(key), "=", std::string(value), " ");
                                       return true;
                                     }),
                            IsOk());
                EXPECT_EQ(seen, "a=new c=old ");
                return absl::OkStatus();
              }),
              IsOk());
  EXPECT_EQ(Row("a"), "new");
  EXPECT_EQ(Row("b"), "none");
}

TEST_F(RepeatTest, AnErrorInBothRunsIsTheBodysAndLeavesNothing) {
  EXPECT_THAT(Run([](Transaction& txn) {
                txn.Put(kTable, "key", "value");
                return absl::NotFoundError("no such thing");
              }),
              StatusIs(StatusCode::kNotFound, "no such thing"));
  EXPECT_EQ(Row("key"), "none");
}

TEST_F(RepeatTest, ARowOfAnotherValueIsFoundAndNothingIsCommitted) {
  int count = 0;
  EXPECT_THAT(
      Run([&](Transaction& txn) {
        txn.Put(kTable, "key", absl::StrCat("value ", ++count));
        return absl::OkStatus();
      }),
      StatusIs(StatusCode::kInternal, AllOf(HasSubstr("not repeatable: row \"key\" of table services"),
                                            HasSubstr("a first run puts \"value 1\", a second one puts \"value 2\""))));
  EXPECT_EQ(Row("key"), "none");
}

TEST_F(RepeatTest, ARowThatOnlyOneRunWritesOrDeletesIsFound) {
  EXPECT_THAT(Run([](Transaction& txn) {
                txn.Put(kTable, "kept", "value");
                return absl::OkStatus();
              }),
              IsOk());
  bool is_first = true;
  EXPECT_THAT(Run([&](Transaction& txn) {
                if (std::exchange(is_first, false)) txn.Put(kTable, "once", "");
                return absl::OkStatus();
              }),
              StatusIs(StatusCode::kInternal, HasSubstr("a first run puts \"\", a second one leaves it alone")));
  EXPECT_THAT(Run([&](Transaction& txn) {
                if (!std::exchange(is_first, true)) txn.Delete(kTable, "kept");
                return absl::OkStatus();
              }),
              StatusIs(StatusCode::kInternal, HasSubstr("a first run deletes it, a second one leaves it alone")));
  EXPECT_THAT(Run([&](Transaction& txn) {
                if (!std::exchange(is_first, false)) txn.Delete(kTable, "kept");
                return absl::OkStatus();
              }),
              StatusIs(StatusCode::kInternal, HasSubstr("a first run leaves it alone, a second one deletes it")));
  EXPECT_EQ(Row("kept"), "value");
}

TEST_F(RepeatTest, AnotherStatusIsFound) {
  int count = 0;
  EXPECT_THAT(
      Run([&](Transaction&) { return count++ == 0 ? absl::OkStatus() : absl::NotFoundError("gone"); }),
      StatusIs(StatusCode::kInternal, HasSubstr("a first run returns OK, a second one returns NOT_FOUND: gone")));
  EXPECT_THAT(Run([&](Transaction&) { return absl::NotFoundError(absl::StrCat("gone ", ++count)); }),
              StatusIs(StatusCode::kInternal, HasSubstr("status")));
}

TEST_F(RepeatTest, ATimeThatIsNotTheCallsIsFound) {
  EXPECT_THAT(Run([&](Transaction& txn) {
                txn.Put(kTable, "day", absl::FormatCivilTime(absl::ToCivilDay(clock_.Now(), absl::UTCTimeZone())));
                return absl::OkStatus();
              }),
              StatusIs(StatusCode::kInternal, HasSubstr("row \"day\"")));
  EXPECT_EQ(clock_.Now(), ManualClock().Now());
}

TEST_F(RepeatTest, IdsAreTheSameInBothRunsAndOthersInTheNextTransaction) {
  const auto put = [&](Transaction& txn) {
    txn.Put(kTable, ids_.NewId("ch"), "");
    txn.Put(kTable, ids_.NewId("ch"), "");
    return absl::OkStatus();
  };
  EXPECT_THAT(Run(put), IsOk());
  EXPECT_EQ(Row(CountedId("ch", 2)), "");
  EXPECT_EQ(Row(CountedId("ch", 3)), "none");
  EXPECT_THAT(Run(put), IsOk());
  EXPECT_EQ(Row(CountedId("ch", 4)), "");
}

TEST_F(RepeatTest, HooksThatOnlyOneRunLeavesAreFound) {
  bool is_first = true;
  EXPECT_THAT(Run([&](Transaction& txn) {
                if (std::exchange(is_first, false)) txn.OnCommit([] {});
                return absl::OkStatus();
              }),
              StatusIs(StatusCode::kInternal, HasSubstr("hooks for the commit")));
}

TEST_F(RepeatTest, WorkIsComparedByKindAndSubjectAndNotByItsRandomKey) {
  spdlog::logger log("none", std::make_shared<spdlog::sinks::null_sink_mt>());
  class NoDriver final : public WorkDriver {
   public:
    void Perform(const std::string& /*subject*/, Done done) override { std::move(done)(absl::OkStatus()); }
    absl::Status Complete(const std::string&, const absl::Status&, Transaction&) override { return absl::OkStatus(); }
  } driver;
  WorkQueue work(*store_, clock_, log, {.sole_server = true});
  work.AddDriver("send", kService, driver);
  EXPECT_THAT(Run([&](Transaction& txn) -> absl::Status {
                for (const char* subject : {"a", "b", "c"}) {
                  HAPAX_RETURN_IF_ERROR(work.Schedule(txn, "send", subject));
                }
                return absl::OkStatus();
              }),
              IsOk());
  int count = 0;
  EXPECT_THAT(Run([&](Transaction& txn) { return work.Schedule(txn, "send", absl::StrCat("letter ", ++count)); }),
              StatusIs(StatusCode::kInternal, AllOf(HasSubstr("work: a first run schedules \"send\" of \"letter 1\""),
                                                    HasSubstr("a second one schedules \"send\" of \"letter 2\""))));
}

}  // namespace
}  // namespace hapax
