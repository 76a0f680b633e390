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

// A file that records calls before they are made. After a crash, a client finds out what happened to them and finishes
// them with the same tokens, so nothing is done twice. JournaledCaller (journaled_caller.h) uses it.
//
//   auto journal = TokenJournal::Open("jobs.journal");
//
// An intent is a method, request, token and destination. It belongs to the process working on it from Begin or TakeOver
// until Complete or LeaveOpen, or until the process ends. Replies are never written.
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
    // The destination of the call. Without an endpoint for an intent of an older version.
    Destination destination;
  };

  // Opens the journal; creates it with mode 0600 if it does not exist.
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
  // Returns the intents that nobody is working on, oldest first; they belong to the caller now. They include those that
  // this journal left open, and those of journals and processes that have ended.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Intent>> TakeOver() = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
