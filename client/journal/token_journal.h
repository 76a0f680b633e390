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

// A file that records calls before they are made. After a crash, a client finishes them with the same tokens, so
// nothing is done twice. JournaledCaller (journaled_caller.h) uses it.
//
//   auto journal = TokenJournal::Open("jobs.journal");
//
// An intent is a method, request, token and destination. It belongs to its process from Begin or TakeOver until
// Complete or LeaveOpen, or until the process ends. Replies are never written.
//
// Thread-safety: safe. Several processes may use one file at a time. A forked child opens its own journal; its parent's
// returns FAILED_PRECONDITION, and may be destroyed.
// Errors: UNAVAILABLE: the file cannot be read or written at the moment. PERMISSION_DENIED: access to it is not
// allowed. DATA_LOSS: it is damaged, or not a journal. FAILED_PRECONDITION: it has a newer version. A file of an older
// version is upgraded.
class TokenJournal {
 public:
  struct Intent {
    int64_t id = 0;
    absl::Time begun;
    RawCall call;
    // The destination of the call. Its endpoint is empty for an intent of an older version.
    Destination destination;
  };

  // Opens the journal, or creates it with mode 0600.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenJournal>> Open(const std::string& path);
  virtual ~TokenJournal() = default;

  // Records that the call is about to be made at the destination. Returns the id of the intent, which is durable. After
  // an error the intent may exist nevertheless, for others to take over. FAILED_PRECONDITION: the same call was left
  // open at another destination, where it may have been made.
  [[nodiscard]] absl::StatusOr<int64_t> Begin(const RawCall& call, const Destination& destination) {
    const RawCall* const calls[] = {&call};
    return BeginAll(calls, destination).front();
  }
  [[nodiscard]] absl::StatusOr<int64_t> Begin(const RawCall& call) { return Begin(call, Destination()); }
  // Begins several calls with one write. Returns a result for each, in their order.
  [[nodiscard]] virtual std::vector<absl::StatusOr<int64_t>> BeginAll(absl::Span<const RawCall* const> calls,
                                                                      const Destination& destination) = 0;
  // Removes the intent. It is not an error if the intent does not exist.
  [[nodiscard]] absl::Status Complete(int64_t id) { return CompleteAll({id}); }
  // Removes several intents with one write. After an error none is removed.
  [[nodiscard]] virtual absl::Status CompleteAll(absl::Span<const int64_t> ids) = 0;
  // Ends the work on the intent, and keeps it.
  virtual void LeaveOpen(int64_t id) = 0;
  // Takes over the intents that no process is working on, oldest first. They include those left open by this journal,
  // and those of journals and processes that have ended.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Intent>> TakeOver() = 0;
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_TOKEN_JOURNAL_H_
