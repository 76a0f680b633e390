#ifndef HAPAX_STORAGE_REMOTE_STORE_H_
#define HAPAX_STORAGE_REMOTE_STORE_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/context.h"
#include "hapax/storage/remote/engine.h"
#include "hapax/storage/remote/executor.h"
#include "hapax/storage/remote/sql_runner.h"
#include "hapax/storage/store.h"

namespace hapax {

// A store over a network: N servers, each with one of these, share the rows of one database.
//
//   RemoteStore store(MakeEtcdBackend(...), {.slot = "server-1", .owner = RandomName()});
//
// Guarantees: those of Store, across all servers. Transactions are committed in groups; a group is one request that
// compares everything its bodies read (group_runner.h). When the answer to a commit is lost, nobody is told anything
// before the database has said what became of it (slot_keeper.h).
//
// Transactions of one party may change places when a group conflicts, or its outcome is unknown for a while. A caller
// that must have an order waits for `done`.
//
// A body may run several times, first on guesses: what it reads then may never have been true. Queries do not block
// their caller and run on threads of the store.
//
// Thread-safety: safe. Bodies of transactions, hooks and `done` run one at a time. Those of queries, and of
// transactions with SQL, run beside them. Lifetime: as of Store. While the database does not answer, the destructor
// takes RemoteOptions::patience, and with SQL some seconds more. Errors: those of Store, but UNAVAILABLE is weaker: the
// transaction may turn out to be durable, as a whole, also while the process lives. A caller that retries with the same
// token finds out. status() is the reason when it will be UNAVAILABLE for ever.
class RemoteStore final : public Store {
 public:
  RemoteStore(std::unique_ptr<RemoteBackend> backend, const RemoteOptions& options);
  ~RemoteStore() override;

  using Store::Execute;
  void Execute(Body body, Done done, std::string_view party) override;
  void ExecuteWithSql(Body body, Done done, std::string_view party) override;
  [[nodiscard]] bool has_sql() const override { return backend_->has_sql(); }
  void Query(ReadBody body, Done done) override;

  // OK, or why the store has stopped for ever (engine.h). For the host to show, and to end the process.
  [[nodiscard]] absl::Status status() const { return engine_->status(); }
  // OK, or why the database cannot be read or written at the moment, in its words: for the operator.
  [[nodiscard]] absl::Status health() const { return engine_->health(); }
  // The same of reads alone. OK: replays are served.
  [[nodiscard]] absl::Status read_health() const { return engine_->read_health(); }

 private:
  ThreadExecutor executor_;  // Before the backend, whose callbacks use it.
  const std::unique_ptr<RemoteBackend> backend_;
  const std::shared_ptr<RemoteEngine> engine_;
  std::unique_ptr<SqlRunner> sql_runner_;  // Null: the backend has no SQL.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_STORE_H_
