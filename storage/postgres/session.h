#ifndef HAPAX_STORAGE_POSTGRES_SESSION_H_
#define HAPAX_STORAGE_POSTGRES_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hapax/storage/postgres/connect.h"
#include "libpq-fe.h"

namespace hapax {

// Parameters of given types and formats. The statement's result is in text format then.
struct PgTypedParameters {
  std::vector<std::string> values;
  std::vector<bool> is_null;
  std::vector<Oid> types;    // 0: the statement tells.
  std::vector<int> formats;  // 0: text, 1: binary.
};

// One step of what a session runs, with parameters in binary format (array.h).
struct PgCall {
  std::string statement;  // A prepared statement. Empty: `sql` is run.
  std::vector<std::string> parameters;
  std::string sql;                                 // With `statement`: it is prepared under this name. One statement.
  std::shared_ptr<const PgTypedParameters> typed;  // With `sql` alone: in place of `parameters`.
};

// The rows that a statement returned, in binary format.
class PgRows {
 public:
  explicit PgRows(PGresult* result) : result_(result, PQclear) {}

  [[nodiscard]] int count() const { return PQntuples(result_.get()); }
  [[nodiscard]] bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  // Valid while the rows are.
  [[nodiscard]] std::string_view Bytes(int row, int column) const;
  [[nodiscard]] int64_t Bigint(int row, int column) const;
  [[nodiscard]] bool Bool(int row, int column) const { return Bytes(row, column) == std::string_view("\1", 1); }
  // What the server did, such as "COMMIT".
  [[nodiscard]] absl::string_view command() const { return PQcmdStatus(result_.get()); }
  [[nodiscard]] const PGresult* result() const { return result_.get(); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

struct PgReply {
  absl::Status status;       // OK: each call succeeded.
  std::vector<PgRows> rows;  // Of the calls that succeeded: all of those before the one that failed.
  bool was_sent = false;     // Some of it may have reached the server.
  bool is_broken = false;    // The session is of no use any more. What the server did with the calls is not known.
  bool has_warning =
      false;  // The server said so of one of the calls, such as a commit that did not wait for a standby.
  // With an error: a serialization failure or a deadlock (40001, 40P01). Also at COMMIT it means that nothing was done.
  bool is_conflict = false;
  bool is_out_of_memory = false;  // With an error: of shared memory, as a rule, which has the lock table (53200).
  std::string sqlstate;           // With an error of the server.
  std::string message;            // In the server's words.

  absl::string_view Command(size_t call) const { return call < rows.size() ? rows[call].command() : ""; }
};

// A connection to PostgreSQL. It blocks its thread.
//
// Thread-safety: for one thread.
class PgSession {
 public:
  // Connects as ConnectToPostgres does. `wake_fd` outlives the session: once it can be read, Run ends, too.
  static absl::StatusOr<std::unique_ptr<PgSession>> Connect(const std::string& conninfo, int wake_fd);

  // Sends all calls at once, and waits for their results until monotonic time `deadline`. The first error skips the
  // rest, and a transaction that it leaves open is rolled back.
  PgReply Run(const std::vector<PgCall>& calls, absl::Duration deadline);

  // The same, but calls that succeed leave their transaction open.
  PgReply RunAndStayOpen(const std::vector<PgCall>& calls, absl::Duration deadline);

  // Whether nothing is known against it: the server has not closed it, and says nothing unasked.
  [[nodiscard]] bool IsAlive();

  // That of the server's write-ahead log, as it was found out after the connection was made. A promotion begins a
  // higher one.
  [[nodiscard]] int64_t timeline() const { return timeline_; }
  void set_timeline(int64_t timeline) { timeline_ = timeline; }

  [[nodiscard]] bool is_in_transaction() const { return PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS; }
  [[nodiscard]] int server_version() const { return PQserverVersion(connection_.get()); }

 private:
  PgSession(PgConnection connection, int wake_fd) : connection_(std::move(connection)), wake_fd_(wake_fd) {}

  PgReply RunOnce(const std::vector<PgCall>& calls, absl::Duration deadline, bool may_stay_open);
  absl::Status BeginPipeline();
  static void OnNotice(void* session, const PGresult* notice);
  [[nodiscard]] absl::Status LastError() const;
  bool Send(const std::vector<PgCall>& calls);
  bool SendOne(const PgCall& call);
  // Takes the results of what was sent last, up to its end.
  void Receive(absl::Duration deadline, PgReply& reply);
  // Waits until the next result is complete. Returns an error if that is not to be expected.
  absl::Status AwaitResult(absl::Duration deadline);
  void OnResult(PGresult* result, PgReply& reply);

  const PgConnection connection_;
  const int wake_fd_;
  bool has_warning_ = false;
  int64_t timeline_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_SESSION_H_
