// One connection to PostgreSQL in pipeline mode.
#ifndef HAPAX_BENCH_PEERS_PG_CONNECTION_H_
#define HAPAX_BENCH_PEERS_PG_CONNECTION_H_

#include <libpq-fe.h>
#include <uv.h>

#include <deque>
#include <string>
#include <vector>

#include "hapax/bench/peers/facade.h"

namespace hapax::bench {

// A statement that makes a change if its token is new.
struct PgStatement {
  // $1 is the token, $2 the effect's id, $3 the reply, $4 the effect's row. The result has one row: null if the token
  // was new, otherwise the recorded reply.
  std::string sql;
  // $5 and so on.
  std::vector<std::string> more;
};

struct PgStatements {
  PgStatement launch;
  PgStatement post;

  [[nodiscard]] const PgStatement& Of(Mutation mutation) const { return mutation == Mutation::kPost ? post : launch; }
};

// Each change is one statement and one transaction, committed durably before it is answered:
//
//   the token is new          -> its record and the effect are inserted
//   the token has a record    -> the reply on record is read, nothing is written
//   another transaction is    -> waits for it; the record it made is not in this statement's snapshot,
//   inserting it right now       so no row comes back, and the statement is sent again
//   PostgreSQL reports a         -> the statement is sent again
//   deadlock or a conflict
//
// Statements are sent without waiting for earlier ones, and executed in order.
// Thread-safety: none; everything after Connect() happens on the loop's thread.
// Lifetime: the statements outlive it.
class PgConnection {
 public:
  explicit PgConnection(const PgStatements& statements) : statements_(statements) {}
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // Blocks. If there is no database, prints why to stderr and returns false.
  bool Connect(const std::string& conninfo);
  // From now on only the loop's thread may call.
  void Attach(uv_loop_t* loop);
  void Run(Change change, Done done);
  // Sends the statements queued by Run().
  void Flush();
  // The number of changes without an answer.
  size_t pending() const { return pending_.size(); }

 private:
  struct Attempt {
    Change change;
    Done done;
    bool row_came = false;
    std::string error;
    bool is_conflict = false;
  };

  [[nodiscard]] bool Prepare(Mutation mutation);
  void Send(Attempt attempt);
  void OnSocket(int status, int events);
  // Handles all results that have arrived.
  void Receive();
  void OnResult(PGresult* result);
  // The transaction of the first pending attempt has ended.
  void OnCommitted();
  void Watch(int events);
  void FailAll();

  const PgStatements& statements_;
  PGconn* connection_ = nullptr;
  uv_poll_t poll_{};
  std::deque<Attempt> pending_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_PG_CONNECTION_H_
