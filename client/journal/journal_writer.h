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

// Writes to a journal on its own thread, so that no other thread waits for the disk. All work that arrives during a
// write is written next, together and with one sync. The thread starts with the first write.
//
// Thread-safety: safe.
// Lifetime: the journal outlives it. Its destructor first writes all pending work.
class JournalWriter {
 public:
  // Called once, on the writer's thread, with the id of the intent.
  using Begun = absl::AnyInvocable<void(absl::StatusOr<int64_t>) &&>;

  JournalWriter(TokenJournal& journal, Destination destination);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // Writes the intent, and then calls `begun`. `begun` must keep `call` alive.
  void Begin(const RawCall& call, Begun begun);
  // Records that the call has ended. Removes its intent, or leaves it open if `take_out` is false or the removal fails.
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
  std::thread thread_;  // Set under mu_, and joined by the destructor.
};

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_JOURNAL_JOURNAL_WRITER_H_
