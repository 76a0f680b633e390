#ifndef HAPAX_SERVER_HOSTING_WORK_STATUS_H_
#define HAPAX_SERVER_HOSTING_WORK_STATUS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hapax {

// How a piece of work stands that this server holds.
enum class WorkState {
  kRunning,  // Its driver performs it, or its completion is being written.
  kWaiting,  // It failed or was UNAVAILABLE, and is tried again after a backoff.
  kParked,   // It failed too often, or has no driver. The next start tries it again, or an operator.
};
inline constexpr int kWorkStateCount = 3;

struct WorkPieceStatus {
  std::string kind;
  std::string subject;
  WorkState state = WorkState::kRunning;
  int attempts = 0;        // How often it was performed or its completion was tried, by this server.
  std::string last_error;  // Empty: none yet.
  absl::Time created;
  absl::Time since;  // When it came to this state.
};

struct WorkKindStatus {
  std::string kind;
  int64_t running = 0;
  int64_t waiting = 0;
  int64_t parked = 0;
  int64_t failures = 0;       // Since the start.
  absl::Duration oldest_age;  // Of the piece that was scheduled first; zero when there is none.
};

struct WorkStatus {
  std::vector<WorkKindStatus> kinds;    // By name; those without open work, too.
  std::vector<WorkPieceStatus> pieces;  // Parked, waiting, or running for long.
  int damaged_rows = 0;                 // Found at the start; their work is left undone.
};

// What an operator may do with a server's work. Thread-safety: safe.
class WorkControl {
 public:
  virtual ~WorkControl() = default;

  [[nodiscard]] virtual WorkStatus Status() const = 0;

  // Has the parked work of a kind performed again, of all kinds when it is empty; returns how many pieces.
  // Errors: FAILED_PRECONDITION, the kind has no driver; it says which have one.
  [[nodiscard]] virtual absl::StatusOr<int64_t> RetryParked(std::string_view kind) = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_WORK_STATUS_H_
