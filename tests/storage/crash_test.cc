#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/crash_workload.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"

// The store's process dies, and whatever it has acknowledged is there when it comes back.
namespace hapax {
namespace {

constexpr uint64_t kForever = uint64_t{1} << 40;

void ExpectIncludes(const std::set<uint64_t>& there, const std::set<uint64_t>& acknowledged) {
  std::vector<uint64_t> missing;
  std::set_difference(acknowledged.begin(), acknowledged.end(), there.begin(), there.end(),
                      std::back_inserter(missing));
  EXPECT_THAT(missing, testing::IsEmpty()) << "acknowledged, but not there";
}

TEST(CrashTest, NothingAcknowledgedIsMissingAfterAKillAtAnyMoment) {
  constexpr int kKills = 10;
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed));
  std::mt19937_64 random(seed);
  const TempDir dir;
  std::set<uint64_t> acknowledged;
  for (int kill = 0; kill < kKills && !testing::Test::HasFailure(); ++kill) {
    SCOPED_TRACE(absl::StrCat("kill ", kill));
    const size_t kill_after = acknowledged.size() + random() % 3'000;
    const uint64_t first = static_cast<uint64_t>(kill) * kForever;
    ChildProcess child({"--workload", dir.Path("data"), absl::StrCat(first), absl::StrCat(kForever), "64"});
    uint64_t number = 0;
    while (acknowledged.size() < kill_after && child.Read(&number, sizeof(number))) acknowledged.insert(number);
    EXPECT_GE(acknowledged.size(), kill_after) << "it ended before it was killed";
    child.Kill();
    while (child.Read(&number, sizeof(number))) acknowledged.insert(number);
    child.Wait();
    ExpectIncludes(ReadTransactions(dir.Path("data")), acknowledged);
  }
}

// The disk of a process that loses power: of what it wrote to a file since the file was last synced,
// nothing is left, or a part. Names of files are not lost.
class PowerFailure {
 public:
  // Fails before sync number `sync`, counted from 0, of the files in `path`; `random` decides what is left.
  PowerFailure(std::string path, int sync, uint64_t seed) : path_(std::move(path)), left_(sync), random_(seed) {}

  int OnSync(int fd) {
    absl::MutexLock lock(&mu_);
    if (left_-- == 0) Die();
    struct stat file = {};
    if (::fstat(fd, &file) == 0) synced_bytes_[file.st_ino] = file.st_size;
    return 0;
  }

  // Fails now.
  [[noreturn]] void LosePower() {
    absl::MutexLock lock(&mu_);
    Die();
  }

 private:
  [[noreturn]] void Die() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      struct stat file = {};
      if (!entry.is_regular_file() || ::stat(entry.path().c_str(), &file) != 0) continue;
      const off_t synced = synced_bytes_[file.st_ino];
      const off_t unsynced = file.st_size - synced;
      const off_t left = unsynced > 0 && random_() % 2 == 0 ? static_cast<off_t>(random_() % unsynced) : 0;
      if (unsynced > 0 && ::truncate(entry.path().c_str(), synced + left) != 0) std::_Exit(1);
    }
    ::raise(SIGKILL);
    std::_Exit(1);
  }

  const std::string path_;
  absl::Mutex mu_;
  int left_ ABSL_GUARDED_BY(mu_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  std::map<ino_t, off_t> synced_bytes_ ABSL_GUARDED_BY(mu_);
};

// The first syncs make the directory, the others commit. The last failure comes after all of them.
TEST(CrashTest, NothingAcknowledgedIsMissingAfterAPowerFailureBeforeAnySync) {
  constexpr size_t kTransactions = 24;
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed));
  int sync = 0;
  for (bool finished = false; !finished && !testing::Test::HasFailure(); ++sync) {
    SCOPED_TRACE(absl::StrCat("before sync ", sync));
    const TempDir dir;
    ASSERT_EQ(::mkdir(dir.Path("data").c_str(), 0755), 0);
    ChildProcess child({"--workload", dir.Path("data"), "0", absl::StrCat(kTransactions), "4", absl::StrCat(sync),
                        absl::StrCat(seed)});
    std::set<uint64_t> acknowledged;
    uint64_t number = 0;
    while (child.Read(&number, sizeof(number))) acknowledged.insert(number);
    EXPECT_EQ(child.Wait(), SIGKILL) << "it ended before it lost power";
    ExpectIncludes(ReadTransactions(dir.Path("data")), acknowledged);
    finished = acknowledged.size() == kTransactions;
  }
  EXPECT_GT(sync, 10) << "there cannot be so few";
}

// Arguments: path, first, count, in flight; and for a power failure, before which sync, and a seed.
void RunAsChild(const std::vector<std::string>& arguments) {
  CrashWorkload workload = {.path = arguments[0],
                            .first = std::stoull(arguments[1]),
                            .count = std::stoull(arguments[2]),
                            .in_flight_count = std::stoi(arguments[3])};
  if (arguments.size() > 4) {
    auto* const failure = new PowerFailure(workload.path, std::stoi(arguments[4]), std::stoull(arguments[5]));
    SetDiskSyncHook([failure](int fd) { return failure->OnSync(fd); });
    workload.at_end = [failure] { failure->LosePower(); };
  }
  Run(workload);
}

}  // namespace
}  // namespace hapax

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--workload") {
    hapax::RunAsChild({argv + 2, argv + argc});
    return 0;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
