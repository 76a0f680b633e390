#include "hapax/storage/postgres/backend.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/connector.h"
#include "hapax/storage/postgres/history.h"
#include "hapax/storage/postgres/isolation.h"
#include "hapax/storage/postgres/layout.h"
#include "hapax/storage/postgres/requests.h"
#include "hapax/storage/postgres/sql_session.h"
#include "hapax/storage/postgres/workers.h"

namespace hapax {
namespace {

constexpr RemoteLimits kLimits = {.max_reads = 8192, .max_writes = 8192, .max_bytes = int64_t{16} << 20};
// Of a start's last try.
constexpr absl::Duration kOpenTimeout = absl::Seconds(10);
constexpr absl::Duration kOpenPause = absl::Milliseconds(100);

class PostgresBackend final : public RemoteBackend {
 public:
  explicit PostgresBackend(const PostgresOptions& options)
      : options_(options), layout_(options.schema), connector_(options_, layout_, history_) {}

  // Requires: called once, before all others.
  absl::Status Open() {
    const absl::Duration patience = MonotonicNow() + options_.open_timeout;
    const absl::Duration deadline = patience + kOpenTimeout;
    auto connected = connector_.SetUpAndConnect(/*wake_fd=*/-1, deadline);
    while (absl::IsUnavailable(connected.status()) && MonotonicNow() < patience) {
      absl::SleepFor(kOpenPause);
      connected = connector_.SetUpAndConnect(/*wake_fd=*/-1, deadline);
    }
    HAPAX_ASSIGN_OR_RETURN(const std::unique_ptr<PgSession> session, std::move(connected));
    HAPAX_ASSIGN_OR_RETURN(const size_t max_locks, MaxLocksOfGroup(*session, deadline));
    isolation_ = MakePgIsolation(options_, max_locks);
    workers_ = std::make_unique<PgWorkers>(options_, connector_);
    return absl::OkStatus();
  }

  [[nodiscard]] RemoteLimits limits() const override { return kLimits; }

  void Fetch(RemoteFetch fetch, OnFetched done) override {
    std::vector<PgCall> begin = isolation_->BeginRead();
    const size_t begin_size = begin.size();
    std::vector<PgCall> calls = FetchCalls(fetch, std::move(begin));
    Read(begin_size, std::move(calls), [fetch = std::move(fetch), done = std::move(done)](PgReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(FetchedOf(fetch, reply));
    });
  }

  [[nodiscard]] bool CanHold() const override { return isolation_->has_locks(); }

  void FetchAndHold(RemoteFetch fetch, const RemoteGroup& foreseen, OnFetched done) override {
    if (!CanHold()) return Fetch(std::move(fetch), std::move(done));
    std::vector<PgCall> begin = isolation_->BeginGroup(foreseen);
    const size_t begin_size = begin.size();
    std::vector<PgCall> calls = FetchAndHoldCalls(fetch, std::move(begin));
    workers_->Hold(foreseen.slot, std::move(calls),
                   [this, begin_size, fetch = std::move(fetch), done = std::move(done)](PgReply reply) mutable {
                     if (reply.is_out_of_memory) isolation_->NoteOutOfMemory();
                     if (absl::Status lost = history_.status(); !lost.ok()) reply.status = std::move(lost);
                     if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
                     std::move(done)(FetchedOf(fetch, WithoutBegin(begin_size, std::move(reply))));
                   });
  }

  void Release(const std::string& slot) override { workers_->Release(slot); }

  void Compare(std::vector<RemoteRead> reads, OnCompared done) override {
    std::vector<PgCall> begin = isolation_->BeginRead();
    const size_t begin_size = begin.size();
    Read(begin_size, CompareCalls(reads, std::move(begin)), [done = std::move(done)](PgReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(ComparedOf(reply));
    });
  }

  void Commit(RemoteGroup group, OnCommitted done) override {
    if (absl::Status lost = history_.status(); !lost.ok()) {
      return std::move(done)({.outcome = RemoteCommitted::Outcome::kRefused, .status = std::move(lost)});
    }
    RemoteSlot after = group.before;
    ++after.seq;
    std::vector<PgCall> begin = isolation_->BeginGroup(group);
    const size_t begin_size = begin.size();
    std::vector<PgCall> calls = CommitCalls(group, std::move(begin));
    workers_->Commit(group.slot, std::move(calls),
                     [this, begin_size, slot = group.slot, before = std::move(group.before), after,
                      done = std::move(done)](PgReply reply) mutable {
                       if (reply.is_out_of_memory) isolation_->NoteOutOfMemory();
                       RemoteCommitted committed = CommittedOf(before, WithoutBegin(begin_size, std::move(reply)));
                       if (committed.outcome == RemoteCommitted::Outcome::kApplied) history_.NoteSlot(slot, after);
                       std::move(done)(std::move(committed));
                     });
  }

  [[nodiscard]] bool has_sql() const override { return true; }
  std::unique_ptr<RemoteSqlSession> NewSqlSession() override {
    return std::make_unique<PgSqlSession>(options_, connector_, *isolation_, history_);
  }

  void ReadSlot(const std::string& slot, OnSlotRead done) override {
    // A single row: what a snapshot has of it was so between two commits, whatever the isolation.
    Read(/*begin_size=*/0, ReadSlotCalls(slot), [done = std::move(done)](PgReply reply) mutable {
      if (!reply.status.ok()) return std::move(done)(std::move(reply.status));
      std::move(done)(SlotOf(reply));
    });
  }

  void RaiseSlot(const std::string& slot, const RemoteSlotState& seen, const RemoteSlot& next,
                 OnSlotRaised done) override {
    if (absl::Status lost = history_.status(); !lost.ok()) return std::move(done)(std::move(lost));
    std::vector<PgCall> begin = isolation_->BeginRaise(slot);
    const size_t begin_size = begin.size();
    workers_->Commit(/*slot=*/"", RaiseCalls(slot, seen, next, std::move(begin)),
                     [this, begin_size, slot, next, done = std::move(done)](PgReply reply) mutable {
                       absl::StatusOr<bool> raised = RaisedOf(WithoutBegin(begin_size, std::move(reply)));
                       if (raised.ok() && *raised) history_.NoteSlot(slot, next);
                       std::move(done)(std::move(raised));
                     });
  }

 private:
  // A connection that was open when the database went back answers no more.
  void Read(size_t begin_size, std::vector<PgCall> calls, PgWorkers::Done done) {
    workers_->Read(std::move(calls), [this, begin_size, done = std::move(done)](PgReply reply) mutable {
      if (absl::Status lost = history_.status(); !lost.ok()) reply.status = std::move(lost);
      std::move(done)(WithoutBegin(begin_size, std::move(reply)));
    });
  }

  const PostgresOptions options_;
  const PostgresLayout layout_;
  PostgresHistory history_;
  PgConnector connector_;
  std::unique_ptr<PgIsolation> isolation_;
  std::unique_ptr<PgWorkers> workers_;  // Last: its callbacks use the others.
};

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteBackend>> OpenPostgresBackend(const PostgresOptions& options) {
  if (!PostgresLayout::IsSchema(options.schema)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "postgres_schema=", options.schema,
        ": must begin with a lower-case letter, have only lower-case letters, digits and \"_\", and be not "
        "longer than ",
        PostgresLayout::kMaxSchemaBytes, " bytes"));
  }
  auto backend = std::make_unique<PostgresBackend>(options);
  HAPAX_RETURN_IF_ERROR(backend->Open());
  return backend;
}

}  // namespace hapax
