#ifndef HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
#define HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/client/call/caller.h"

namespace hapax::client {

// A file that records calls before they are made. After a crash, a client finds out what happened to them and finishes
// them with the same tokens, so nothing is done twice. JournaledCaller (journaled_caller.h) uses it.
//
//   auto journal = TokenJournal::Open("jobs.journal");
//
// An intent is a method, request, token and destination. It belongs to the process working on it from Begin or TakeOver
// until Complete or LeaveOpen, or until the process ends. Replies are never written.
//
// The file is an SQLite database, so a torn write does not change it, and the space of removed intents is reused. The
// file FILE-owners beside it has the locks that tell which processes are alive. Keep both on a local file system.
//
// Thread-safety: safe. Several processes may use one file at a time; a forked process must not use its parent's object.
// Errors: UNAVAILABLE, the file cannot be read or written at the moment; PERMISSION_DENIED, it may not be; DATA_LOSS,
// it is damaged or not a journal; FAILED_PRECONDITION, it is of a newer version. An older version is upgraded.
class TokenJournal {
 public:
  struct Intent {
    int64_t id = 0;
    absl::Time begun;
    RawCall call;
    // The destination of the call. Without an endpoint for an intent of an older version.
    Destination destination;
  };

  // Opens the journal; creates it with mode 0600 if it does not exist.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenJournal>> Open(const std::string& path);
  virtual ~TokenJournal() = default;

  // Records durably that the call is about to be made at the destination, and returns the intent's id. After an error
  // the intent may exist, for others to take over.
  // Errors: FAILED_PRECONDITION, the same call was left open at another destination, where it may have been made.
  [[nodiscard]] virtual absl::StatusOr<int64_t> Begin(const RawCall& call, const Destination& destination) = 0;
  [[nodiscard]] absl::StatusOr<int64_t> Begin(const RawCall& call) { return Begin(call, Destination()); }
  // Removes the intent. A missing intent is not an error.
  [[nodiscard]] virtual absl::Status Complete(int64_t id) = 0;
  // Stops work on the intent, and keeps it.
  virtual void LeaveOpen(int64_t id) = 0;
  // Returns the intents that nobody is working on, oldest first; they belong to the caller now. They include those that
  // this journal left open, and those of journals and processes that have ended.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Intent>> TakeOver() = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
