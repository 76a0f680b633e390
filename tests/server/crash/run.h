#ifndef HAPAX_TESTS_SERVER_CRASH_RUN_H_
#define HAPAX_TESTS_SERVER_CRASH_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "hapax/interceptors/idempotency/seal_keys.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/crash/client.h"
#include "hapax/tests/server/crash/script.h"
#include "hapax/tests/server/support/compute_server.h"
#include "hapax/tests/server/support/journaling_hypervisor.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/volatile_disk.h"

namespace hapax::compute {

enum class Disaster {
  kPowerCut,           // Nothing of what was not synced is left.
  kPowerCutWithRests,  // A part is left, drawn at random.
  kFailure,            // The one operation fails.
};

// A script, run against a server whose disk meets with disasters, each just before an operation that writes, truncates,
// syncs, creates, renames or deletes. After each power cut a server is started on what is left, held to what the client
// was told, and the script goes on.
//
// Thread-safety: for one thread.
class CrashRun {
 public:
  struct Plan {
    Disaster disaster = Disaster::kPowerCut;
    // The operations that it comes before, ascending, counted from 0 over the whole run.
    std::vector<uint64_t> operations;
    uint64_t seed = 0;
  };

  explicit CrashRun(Plan plan);
  ~CrashRun();
  CrashRun(const CrashRun&) = delete;
  CrashRun& operator=(const CrashRun&) = delete;

  // Runs the script to its end, then ends the server and starts another. Ends early when an expectation has failed.
  void Run(const Script& script);

  // The operations and the disasters that there were.
  [[nodiscard]] uint64_t operation_count() const;
  [[nodiscard]] size_t disaster_count() const;

 private:
  rocksdb::IOStatus OnOperation(FileOperation operation);
  void OnStep(WorkStep step);
  void OnLog(std::string_view line);

  // Brings it about, through disasters: `attempt` returns whether it is done.
  void Persist(absl::FunctionRef<bool()> attempt);
  [[nodiscard]] bool TryToStart();
  void Reboot();
  void AwaitQuiet();
  void Verify();
  void VerifyWork() const;

  const Plan plan_;
  std::mt19937_64 random_;
  const TempDir dir_;
  ManualClock clock_;
  JournalingHypervisor hypervisor_{dir_.Path("journal"), nullptr};
  const SealKeys seal_keys_ = ChainClient::NewSealKeys();
  VolatileDisk disk_{dir_.Path("data")};
  FaultyFileSystem files_{disk_.files()};
  CrashClient client_{clock_};
  std::unique_ptr<ComputeServer> server_;

  mutable absl::Mutex mu_;
  bool is_safe_ ABSL_GUARDED_BY(mu_) = false;  // Nothing is counted, and nothing happens.
  uint64_t operation_count_ ABSL_GUARDED_BY(mu_) = 0;
  size_t disaster_count_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_cut_ ABSL_GUARDED_BY(mu_) = false;
  bool is_suspended_ ABSL_GUARDED_BY(mu_) = false;
  int work_in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  std::string last_log_line_ ABSL_GUARDED_BY(mu_);  // The store's.
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_CRASH_RUN_H_
