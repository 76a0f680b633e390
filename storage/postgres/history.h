#ifndef HAPAX_STORAGE_POSTGRES_HISTORY_H_
#define HAPAX_STORAGE_POSTGRES_HISTORY_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "hapax/storage/remote/backend.h"

namespace hapax {

// Finds out that a database lost what it had acknowledged: by a failover to a standby that lagged, or a restored
// backup. Then nothing that it answers counts any more, until an operator decides and the process is started anew.
//
// Each new connection is checked before it serves a request:
//
//   const PostgresHistory::Marks floor = history.marks();
//   ... count the connection in a committed transaction; read the slots ...
//   HAPAX_RETURN_IF_ERROR(history.Check(floor, found));
//
// A commit that is lost while a slot of this process has made no later one is found by that slot. What only others were
// told of is found by them.
//
// Thread-safety: safe.
class PostgresHistory {
 public:
  struct Marks {
    int64_t connections = 0;                  // Ever made by all servers.
    std::map<std::string, RemoteSlot> slots;  // As last acknowledged, by name.
  };

  [[nodiscard]] Marks marks() const;

  // Notes the value of a slot that the database has acknowledged.
  void NoteSlot(const std::string& slot, const RemoteSlot& value);

  // Compares what a new connection found with the marks of before it was made.
  // Errors: FAILED_PRECONDITION, of this call and all further ones: the database went back.
  [[nodiscard]] absl::Status Check(const Marks& floor, const Marks& found);

  // The error of an earlier Check, or OK.
  [[nodiscard]] absl::Status status() const;

 private:
  mutable absl::Mutex mu_;
  Marks marks_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_HISTORY_H_
