#include "hapax/client/token_journal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace hapax::client {
namespace {

constexpr int kVersion = 1;
constexpr int kBusyTimeoutMs = 10'000;
constexpr char kSchema[] = R"(
  CREATE TABLE IF NOT EXISTS owners (id INTEGER PRIMARY KEY AUTOINCREMENT);
  CREATE TABLE IF NOT EXISTS intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL,
    begun_us INTEGER NOT NULL,
    method TEXT NOT NULL,
    request BLOB NOT NULL,
    token TEXT NOT NULL,
    token_in_request INTEGER NOT NULL);
)";

absl::Status FromSqlite(sqlite3* db, int code, const std::string& path) {
  const std::string message = absl::StrCat("journal ", path, ": ", sqlite3_errmsg(db));
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

// A statement on its way: bound in order, stepped through, and finalized at the end.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) { status_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value) { return Check(sqlite3_bind_int64(statement_, ++bound_, value)); }
  Statement& Bind(const std::string& bytes) {
    return Check(sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
  }
  // True: there is a row. False: it is done, or it failed.
  bool Step() {
    if (status_ != SQLITE_OK) return false;
    const int stepped = sqlite3_step(statement_);
    if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) status_ = stepped;
    return stepped == SQLITE_ROW;
  }
  [[nodiscard]] int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::string Bytes(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(bytes), static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  [[nodiscard]] absl::Status status(const std::string& path) const {
    return status_ == SQLITE_OK ? absl::OkStatus() : FromSqlite(db_, status_, path);
  }

 private:
  Statement& Check(int code) {
    if (status_ == SQLITE_OK) status_ = code;
    return *this;
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int status_ = SQLITE_OK;
  int bound_ = 0;
};

// Locks of the file beside the journal, a byte for each owner: held as long as that owner lives, whatever ends it.
class OwnerLocks {
 public:
  ~OwnerLocks() {
    if (file_ >= 0) close(file_);
  }

  [[nodiscard]] absl::Status Open(const std::string& path) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file_ >= 0) return absl::OkStatus();
    return absl::PermissionDeniedError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  }
  // False: somebody else has it, so that owner lives.
  [[nodiscard]] bool TryLock(int64_t owner) { return Set(owner, F_WRLCK); }
  void Unlock(int64_t owner) { Set(owner, F_UNLCK); }

 private:
  bool Set(int64_t owner, short type) const {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = owner;
    lock.l_len = 1;
    return fcntl(file_, F_OFD_SETLK, &lock) == 0;
  }

  int file_ = -1;
};

class SqliteJournal final : public TokenJournal {
 public:
  explicit SqliteJournal(std::string path) : path_(std::move(path)) {}
  ~SqliteJournal() override { sqlite3_close(db_); }

  [[nodiscard]] absl::Status Open();
  absl::StatusOr<int64_t> Begin(const RawCall& call) override;
  absl::Status Complete(int64_t id) override;
  absl::StatusOr<std::vector<Intent>> TakeOver() override;

 private:
  absl::Status Run(const char* sql) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : FromSqlite(db_, code, path_);
  }
  [[nodiscard]] absl::Status SetUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::StatusOr<std::vector<int64_t>> DeadOwners() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  absl::Mutex mu_;
  sqlite3* db_ ABSL_GUARDED_BY(mu_) = nullptr;
  OwnerLocks locks_ ABSL_GUARDED_BY(mu_);
  int64_t owner_ ABSL_GUARDED_BY(mu_) = 0;
};

absl::Status SqliteJournal::Open() {
  absl::MutexLock lock(&mu_);
  // SQLite gives the files it makes beside this one the same mode.
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    return absl::PermissionDeniedError(absl::StrCat("cannot open journal ", path_, ": ", std::strerror(errno)));
  }
  close(file);
  if (absl::Status status = locks_.Open(path_ + "-owners"); !status.ok()) return status;
  const int code = sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (code != SQLITE_OK) return FromSqlite(db_, code, path_);
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  // A commit is on the disk when it returns.
  if (absl::Status status = Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"); !status.ok()) return status;
  if (absl::Status status = Run("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status = SetUp();
  status.Update(Run(status.ok() ? "COMMIT" : "ROLLBACK"));
  if (status.ok() && !locks_.TryLock(owner_)) status = absl::UnavailableError("the journal's locks do not work");
  return status;
}

absl::Status SqliteJournal::SetUp() {
  int64_t version = 0;
  {
    Statement read(db_, "PRAGMA user_version");
    if (read.Step()) version = read.Int(0);
    if (absl::Status status = read.status(path_); !status.ok()) return status;
  }
  if (version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("journal ", path_, ": has version ", version, ", this program knows ", kVersion));
  }
  absl::Status status = Run(kSchema);
  status.Update(Run(absl::StrCat("PRAGMA user_version = ", kVersion).c_str()));
  status.Update(Run("INSERT INTO owners DEFAULT VALUES"));
  owner_ = sqlite3_last_insert_rowid(db_);
  return status;
}

absl::StatusOr<int64_t> SqliteJournal::Begin(const RawCall& call) {
  absl::MutexLock lock(&mu_);
  Statement insert(db_,
                   "INSERT INTO intents (owner, begun_us, method, request, token, token_in_request) "
                   "VALUES (?, ?, ?, ?, ?, ?)");
  insert.Bind(owner_).Bind(absl::ToUnixMicros(absl::Now())).Bind(call.method).Bind(call.request).Bind(call.token);
  insert.Bind(static_cast<int64_t>(call.token_in_request)).Step();
  if (absl::Status status = insert.status(path_); !status.ok()) return status;
  return sqlite3_last_insert_rowid(db_);
}

absl::Status SqliteJournal::Complete(int64_t id) {
  absl::MutexLock lock(&mu_);
  Statement remove(db_, "DELETE FROM intents WHERE id = ?");
  remove.Bind(id).Step();
  return remove.status(path_);
}

// Owners whose locks nobody holds; they are forgotten unless they have intents.
absl::StatusOr<std::vector<int64_t>> SqliteJournal::DeadOwners() {
  std::vector<int64_t> dead;
  Statement read(db_, "SELECT id FROM owners WHERE id <> ?");
  read.Bind(owner_);
  while (read.Step()) {
    const int64_t owner = read.Int(0);
    if (!locks_.TryLock(owner)) continue;
    locks_.Unlock(owner);
    dead.push_back(owner);
  }
  if (absl::Status status = read.status(path_); !status.ok()) return status;
  return dead;
}

absl::StatusOr<std::vector<TokenJournal::Intent>> SqliteJournal::TakeOver() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = Run("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::StatusOr<std::vector<int64_t>> dead = DeadOwners();
  absl::Status status = dead.status();
  for (const int64_t owner : dead.ok() ? *dead : std::vector<int64_t>()) {
    Statement adopt(db_, "UPDATE intents SET owner = ? WHERE owner = ?");
    adopt.Bind(owner_).Bind(owner).Step();
    status.Update(adopt.status(path_));
    Statement forget(db_, "DELETE FROM owners WHERE id = ?");
    forget.Bind(owner).Step();
    status.Update(forget.status(path_));
  }
  status.Update(Run(status.ok() ? "COMMIT" : "ROLLBACK"));
  if (!status.ok()) return status;

  std::vector<Intent> intents;
  Statement read(
      db_, "SELECT id, begun_us, method, request, token, token_in_request FROM intents WHERE owner = ? ORDER BY id");
  read.Bind(owner_);
  while (read.Step()) {
    intents.push_back({.id = read.Int(0),
                       .begun = absl::FromUnixMicros(read.Int(1)),
                       .call = {.method = read.Bytes(2),
                                .request = read.Bytes(3),
                                .token = read.Bytes(4),
                                .token_in_request = read.Int(5) != 0}});
  }
  if (absl::Status read_status = read.status(path_); !read_status.ok()) return read_status;
  return intents;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenJournal>> TokenJournal::Open(const std::string& path) {
  auto journal = std::make_unique<SqliteJournal>(path);
  if (absl::Status status = journal->Open(); !status.ok()) return status;
  return journal;
}

Result<std::string> JournaledCaller::CallRaw(const RawCall& call, const RetryPolicy& policy) {
  if (call.token.empty()) return caller_.CallRaw(call, policy);
  const absl::StatusOr<int64_t> id = journal_.Begin(call);
  if (!id.ok()) return {.reply = id.status(), .info = {.token = call.token, .settled = true}};
  Result<std::string> result = caller_.CallRaw(call, policy);
  // An intent that cannot be taken out is made again some day, and replayed: that does no harm.
  if (result.info.settled) journal_.Complete(*id).IgnoreError();
  return result;
}

absl::StatusOr<int> JournaledCaller::ResumePending(HandOver hand_over) {
  absl::StatusOr<std::vector<TokenJournal::Intent>> intents = journal_.TakeOver();
  if (!intents.ok()) return intents.status();
  int left_open = 0;
  for (const TokenJournal::Intent& intent : *intents) {
    const Result<std::string> result = caller_.CallRaw(intent.call);
    if (!hand_over(intent, result) || !result.info.settled) {
      ++left_open;
      continue;
    }
    if (absl::Status status = journal_.Complete(intent.id); !status.ok()) return status;
  }
  return left_open;
}

}  // namespace hapax::client
