#ifndef HAPAX_CLIENT_JOURNAL_JOURNAL_WRITER_H_
#define HAPAX_CLIENT_JOURNAL_JOURNAL_WRITER_H_

#include <cstdint>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "hapax/client/journal/token_journal.h"

namespace hapax::client {

// Writes to a journal on a thread of its own, so that no other waits for the disk. What has come while a write was
// under way is written together, with one sync. The thread starts with the first write.
//
// Thread-safety: safe.
// Lifetime: the journal outlives it. When it goes, it first writes what was handed to it.
class JournalWriter {
 public:
  // Called once, on the writer's thread, with the intent's id.
  using Begun = absl::AnyInvocable<void(absl::StatusOr<int64_t>) &&>;

  JournalWriter(TokenJournal& journal, Destination destination);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // Writes the intent, and then calls `begun`, which holds what keeps `call` alive.
  void Begin(const RawCall& call, Begun begun);
  // The call has ended: its intent is taken out, or else left open. An intent that cannot be taken out is left open.
  void Conclude(int64_t id, bool take_out);

 private:
  struct Beginning {
    const RawCall* call;
    Begun begun;
  };
  struct Conclusion {
    int64_t id;
    bool take_out;
  };

  void Run();
  [[nodiscard]] bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return stopping_ || !beginnings_.empty() || !conclusions_.empty();
  }
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write(std::vector<Beginning> beginnings);
  void Write(const std::vector<Conclusion>& conclusions);

  TokenJournal& journal_;
  const Destination destination_;
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Beginning> beginnings_ ABSL_GUARDED_BY(mu_);
  std::vector<Conclusion> conclusions_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;  // Set under mu_, and joined once nobody else is here.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNAL_WRITER_H_
