#include "hapax/tests/server/crash/run.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

// How long a step of a script, or the work that it starts, may take. Both take milliseconds, and seconds where RocksDB
// pauses. Beyond that something waits for ever, and the test says for what.
constexpr absl::Duration kMaxWait = absl::Minutes(2);

// Where whatever a script launches has room.
v1::Catalog AmpleCatalog() {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_quota()->set_instances(1'000);
  for (v1::CatalogRegion& region : *catalog.mutable_regions()) {
    for (v1::CatalogZone& zone : *region.mutable_zones()) {
      zone.set_vcpus(10'000);
      for (v1::CatalogSubnet& subnet : *zone.mutable_subnets()) {
        if (subnet.id() == "subnet-a") subnet.set_cidr_block("10.4.0.0/20");
      }
    }
  }
  return catalog;
}

}  // namespace

CrashRun::CrashRun(Plan plan) : plan_(std::move(plan)), random_(plan_.seed) {
  files_.SetHook([this](FileOperation operation, std::string_view /*path*/) { return OnOperation(operation); });
}

CrashRun::~CrashRun() = default;

uint64_t CrashRun::operation_count() const {
  absl::MutexLock lock(&mu_);
  return operation_count_;
}

size_t CrashRun::disaster_count() const {
  absl::MutexLock lock(&mu_);
  return disaster_count_;
}

rocksdb::IOStatus CrashRun::OnOperation(FileOperation operation) {
  absl::MutexLock lock(&mu_);
  const rocksdb::IOStatus error = rocksdb::IOStatus::IOError("disaster");
  if (is_cut_) return error;
  if (is_safe_ || operation == FileOperation::kRead) return rocksdb::IOStatus::OK();
  const bool is_struck =
      disaster_count_ < plan_.operations.size() && operation_count_ == plan_.operations[disaster_count_];
  ++operation_count_;
  if (!is_struck) return rocksdb::IOStatus::OK();
  ++disaster_count_;
  if (plan_.disaster != Disaster::kFailure) {
    is_cut_ = true;
    disk_.CutPower();
  }
  return error;
}

void CrashRun::OnStep(WorkStep step) {
  absl::MutexLock lock(&mu_);
  if (step == WorkStep::kCommitted) ++work_in_flight_;
  if (step == WorkStep::kCompleted) --work_in_flight_;
}

void CrashRun::OnLog(std::string_view line) {
  absl::MutexLock lock(&mu_);
  last_log_line_ = line;
  if (line.starts_with("writes suspended")) is_suspended_ = true;
  if (line.starts_with("writes resumed")) is_suspended_ = false;
}

void CrashRun::Run(const Script& script) {
  Persist([&] { return TryToStart(); });
  for (const ScriptStep& step : script) {
    if (testing::Test::HasFailure()) return;
    clock_.Advance(step.advance);
    client_.BeginStep();
    Persist([&] { return (!step.compact || server_->Compact().ok()) && client_.Call(*server_, step.calls); });
  }
  // Its end is not the end of the disasters, nor is the start of the next.
  server_.reset();
  Persist([&] { return TryToStart(); });
  Verify();
  server_.reset();
}

void CrashRun::Persist(absl::FunctionRef<bool()> attempt) {
  const absl::Duration end = MonotonicNow() + kMaxWait;
  while (MonotonicNow() < end && !testing::Test::HasFailure()) {
    const bool is_done = attempt();
    AwaitQuiet();
    if (disk_.power_is_cut()) {
      Reboot();
    } else if (is_done) {
      return;
    }
  }
  absl::MutexLock lock(&mu_);
  EXPECT_TRUE(testing::Test::HasFailure()) << "it is never done; the store's last line: " << last_log_line_;
}

bool CrashRun::TryToStart() {
  if (server_ != nullptr) return true;
  const size_t disasters = disaster_count();
  {
    absl::MutexLock lock(&mu_);
    work_in_flight_ = 0;
    is_suspended_ = false;
  }
  absl::StatusOr<std::unique_ptr<ComputeServer>> server =
      ComputeServer::Open({.data_dir = dir_.Path("data"),
                           .catalog = AmpleCatalog(),
                           .on_step = [this](std::string_view /*kind*/, WorkStep step) { OnStep(step); },
                           .seal_keys = seal_keys_,
                           .env = files_.env(),
                           .log = [this](std::string_view line) { OnLog(line); },
                           .retry_delay = absl::Milliseconds(1)},
                          hypervisor_, clock_);
  if (server.ok()) {
    server_ = *std::move(server);
    return true;
  }
  // The power may have been cut before: a server that is stopped may be writing a table just then.
  EXPECT_TRUE(disk_.power_is_cut() || disaster_count() > disasters)
      << "it does not start, though nothing hinders it: " << server.status();
  return false;
}

// As often as it takes: the next cut may come while the server starts.
void CrashRun::Reboot() {
  while (disk_.power_is_cut() && !testing::Test::HasFailure()) {
    server_.reset();
    client_.ServerDied();
    disk_.Reboot(plan_.disaster == Disaster::kPowerCutWithRests ? &random_ : nullptr);
    {
      absl::MutexLock lock(&mu_);
      is_cut_ = false;
    }
    static_cast<void>(TryToStart());
    AwaitQuiet();
  }
  if (server_ != nullptr) Verify();
}

// Returns when all work is done and the disk can be written, or the power is cut.
void CrashRun::AwaitQuiet() {
  if (server_ == nullptr) return;
  {
    absl::MutexLock lock(&mu_);
    const auto is_quiet = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return is_cut_ || (work_in_flight_ == 0 && !is_suspended_);
    };
    if (mu_.AwaitWithTimeout(absl::Condition(&is_quiet), kMaxWait)) return;
    ADD_FAILURE() << "it is never quiet: pieces of work in flight: " << work_in_flight_
                  << ", writes are suspended: " << is_suspended_ << ", the store's last line: " << last_log_line_;
  }
  // Tells work that is never completed from a wrong count. Without the lock, which a read of the store takes.
  EXPECT_EQ(server_->OpenWork(), 0);
}

void CrashRun::Verify() {
  {
    absl::MutexLock lock(&mu_);
    if (is_cut_) return;
    is_safe_ = true;
  }
  client_.Verify(*server_);
  EXPECT_EQ(server_->OpenWork(), 0);
  VerifyWork();
  absl::MutexLock lock(&mu_);
  is_safe_ = false;
}

// What was begun outside the store was begun for something that is in it, and done once.
void CrashRun::VerifyWork() const {
  std::set<std::string> known;
  for (const v1::Instance& instance : server_->Instances()) known.insert(instance.instance_id());
  std::set<std::string> done;
  for (const std::string& line : ReadJournal(dir_.Path("journal"))) {
    if (!line.starts_with("did ")) continue;
    EXPECT_TRUE(done.insert(line).second) << "done twice: " << line;
    EXPECT_TRUE(std::any_of(known.begin(), known.end(),
                            [&](const std::string& id) { return line.find(id) != std::string::npos; }))
        << "done for nobody: " << line;
  }
}

}  // namespace hapax::compute
