#ifndef HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
#define HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/client/call/caller.h"

namespace hapax::client {

// A file that remembers which calls were about to be made, so that a client that died can find out what became of them,
// and finish them: with the same tokens, so nothing is done twice. JournaledCaller (journaled_caller.h) uses it.
//
//   auto journal = TokenJournal::Open("jobs.journal");
//
// An intent (method, request, token, destination) is somebody's who is at work on it, from Begin or TakeOver until
// Complete or LeaveOpen, or until the process ends. Replies are never written. The file is an SQLite database, so a
// torn write leaves it as it was before; space of intents that are taken out is used again. Beside it stands
// FILE-owners, whose locks tell which processes live; keep both on a local file system.
//
// Thread-safety: safe. Several processes may use one file at a time; a process that is forked off opens its own.
// Its parent's refuses it with FAILED_PRECONDITION, and may be let go.
// Errors: UNAVAILABLE, the file cannot be read or written just now; PERMISSION_DENIED, it may not be; DATA_LOSS, it is
// damaged, or not a journal; FAILED_PRECONDITION, it is of a newer version. One of an older version is brought up to
// date.
class TokenJournal {
 public:
  struct Intent {
    int64_t id = 0;
    absl::Time begun;
    RawCall call;
    // Where it was begun. Not known (no endpoint) of one that an older version wrote.
    Destination destination;
  };

  // Opens the journal, and creates it (mode 0600) when it does not exist.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenJournal>> Open(const std::string& path);
  virtual ~TokenJournal() = default;

  // Writes down that the call is about to be made there; durable when it returns. Returns the intent's id. After an
  // error the intent may be there all the same, for others to take over. FAILED_PRECONDITION: the same call was left
  // open at another destination, where it may have been made.
  [[nodiscard]] absl::StatusOr<int64_t> Begin(const RawCall& call, const Destination& destination) {
    const RawCall* const calls[] = {&call};
    return BeginAll(calls, destination).front();
  }
  [[nodiscard]] absl::StatusOr<int64_t> Begin(const RawCall& call) { return Begin(call, Destination()); }
  // Begins several calls with one write; a result for each, in their order.
  [[nodiscard]] virtual std::vector<absl::StatusOr<int64_t>> BeginAll(absl::Span<const RawCall* const> calls,
                                                                      const Destination& destination) = 0;
  // Takes the intent out. One that is not there any more is fine.
  [[nodiscard]] absl::Status Complete(int64_t id) { return CompleteAll({id}); }
  // Takes several out with one write: all, or after an error none.
  [[nodiscard]] virtual absl::Status CompleteAll(absl::Span<const int64_t> ids) = 0;
  // Nobody is at work on the intent any more, and it stays.
  virtual void LeaveOpen(int64_t id) = 0;
  // The intents that nobody is at work on, oldest first. From now on the caller is. What was left open by this journal
  // is among them, and what others left when their processes, or journals, ended.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Intent>> TakeOver() = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
