#include "hapax/client/journal/token_journal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hapax/client/journal/owner_locks.h"
#include "hapax/client/journal/sqlite_statement.h"
#include "hapax/client/wire/fork.h"

namespace hapax::client {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// Identifies a database as a journal.
constexpr int64_t kApplicationId = 0x48706A6C;  // "Hpjl"
// Version 1 has no destinations.
constexpr int64_t kVersion = 2;
// Must match the text that SQLite stores: a journal with other tables counts as damaged.
constexpr char kOwnersTable[] = "CREATE TABLE owners (id INTEGER PRIMARY KEY AUTOINCREMENT)";
constexpr char kIntentsTable[] = R"(CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL,
    begun_us INTEGER NOT NULL,
    method BLOB NOT NULL,
    request BLOB NOT NULL,
    token BLOB NOT NULL,
    token_in_request INTEGER NOT NULL))";
// The destinations of intents. They have their own table, so that the tables of version 1 do not change.
constexpr char kDestinationsTable[] = R"(CREATE TABLE destinations (
    intent INTEGER PRIMARY KEY,
    endpoint BLOB NOT NULL,
    caller BLOB NOT NULL))";

// SQLite treats a file that is too short as an empty database, and overwrites it. It treats missing bytes of the last
// page as zeros. If there is a log beside the file, SQLite reads that instead.
bool MayBeDatabase(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  constexpr uintmax_t kSmallestPage = 512;
  for (const char* const beside : {"-journal", "-wal"}) {
    if (access((path + beside).c_str(), F_OK) == 0) return true;
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<uintmax_t>(file.tellg());
  if (size == 0) return true;
  std::string magic(kMagic.size(), '\0');
  file.seekg(0).read(magic.data(), static_cast<std::streamsize>(magic.size()));
  return size % kSmallestPage == 0 && magic == kMagic;
}

class SqliteJournal final : public TokenJournal {
 public:
  explicit SqliteJournal(const std::string& path) : path_(path), name_("journal " + path) {}
  ~SqliteJournal() override;

  [[nodiscard]] absl::Status Open();
  std::vector<absl::StatusOr<int64_t>> BeginAll(absl::Span<const RawCall* const> calls,
                                                const Destination& destination) override;
  absl::Status CompleteAll(absl::Span<const int64_t> ids) override;
  void LeaveOpen(int64_t id) override;
  absl::StatusOr<std::vector<Intent>> TakeOver() override;

 private:
  [[nodiscard]] absl::Status Run(const std::string& sql) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : FromSqlite(db_, code, name_);
  }
  [[nodiscard]] absl::StatusOr<int64_t> Number(const char* sql) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status SetUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status CheckSound(int64_t version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status Upgrade() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status BecomeOwner() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status InTransaction(absl::FunctionRef<absl::Status()> body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::StatusOr<int64_t> Insert(const RawCall& call, const Destination& destination)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status CheckNotOpenElsewhere(const RawCall& call, const Destination& destination)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::StatusOr<std::vector<int64_t>> DeadOwners() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status Adopt(int64_t dead_owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::Status AdoptOrphans() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  [[nodiscard]] absl::StatusOr<std::vector<Intent>> OwnIntents() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const OwningProcess process_;
  const std::string path_;
  const std::string name_;  // For messages.
  absl::Mutex mu_;
  sqlite3* db_ ABSL_GUARDED_BY(mu_) = nullptr;
  OwnerLocks locks_ ABSL_GUARDED_BY(mu_);
  int64_t owner_ ABSL_GUARDED_BY(mu_) = 0;  // 0: not opened.
  std::set<int64_t> at_work_ ABSL_GUARDED_BY(mu_);
};

SqliteJournal::~SqliteJournal() {
  if (!process_.IsThisOne()) return;  // Closing the database would change the parent's files.
  absl::MutexLock lock(&mu_);
  if (owner_ != 0) {
    // An owner without intents is deleted; the intents of others are taken over.
    Statement forget(db_, "DELETE FROM owners WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM intents WHERE owner = ?1)");
    forget.Bind(owner_).Step();
  }
  // The last one to close writes the whole file, and nobody may open it meanwhile. `locks_` releases the locks.
  static_cast<void>(locks_.LockDoor());
  sqlite3_close(db_);
}

absl::Status SqliteJournal::Open() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = locks_.Open(path_ + "-owners"); !status.ok()) return status;
  // SQLite gives the files that it creates beside this one the same mode.
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return absl::PermissionDeniedError(absl::StrCat(name_, ": ", std::strerror(errno)));
  close(file);
  if (!locks_.LockDoor()) return absl::UnavailableError(absl::StrCat(name_, ": its locks do not work"));
  const absl::Cleanup unlock = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { locks_.UnlockDoor(); };

  if (!MayBeDatabase(path_)) return absl::DataLossError(name_ + ": is not a journal, or damaged");
  const int code = sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (code != SQLITE_OK) return FromSqlite(db_, code, name_);
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  if (absl::Status status = SetUp(); !status.ok()) return status;
  return BecomeOwner();
}

absl::StatusOr<int64_t> SqliteJournal::Number(const char* sql) {
  Statement read(db_, sql);
  const int64_t number = read.Step() ? read.Int(0) : 0;
  if (absl::Status status = read.status(name_); !status.ok()) return status;
  return number;
}

// Changes nothing before the file is known to be a journal, or empty.
absl::Status SqliteJournal::SetUp() {
  const absl::StatusOr<int64_t> application = Number("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const absl::StatusOr<int64_t> version = Number("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const absl::StatusOr<int64_t> tables = Number("SELECT COUNT(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  const bool is_new = *application == 0 && *version == 0 && *tables == 0;
  if (!is_new && *application != kApplicationId) return absl::DataLossError(name_ + ": is not a journal");
  if (*version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(name_, ": has version ", *version, ", this program knows ", kVersion));
  }
  // Commits are durable when they return.
  if (absl::Status status = Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"); !status.ok()) return status;
  if (is_new) {
    return Run(absl::StrCat("BEGIN IMMEDIATE;", kOwnersTable, ";", kIntentsTable, ";", kDestinationsTable,
                            "; PRAGMA application_id = ", kApplicationId, "; PRAGMA user_version = ", kVersion,
                            "; COMMIT;"));
  }
  if (absl::Status status = CheckSound(*version); !status.ok()) return status;
  return *version == kVersion ? absl::OkStatus() : Upgrade();
}

absl::Status SqliteJournal::Upgrade() {
  return Run(absl::StrCat("BEGIN IMMEDIATE;", kDestinationsTable, "; PRAGMA user_version = ", kVersion, "; COMMIT;"));
}

// Checks that the pages are complete and the tables are a journal's. SQLite stores table definitions as text, and does
// not detect damage in them. A damaged type can make a column that does not number the rows. Then intents would have
// owners that are never found dead.
absl::Status SqliteJournal::CheckSound(int64_t version) {
  const absl::StatusOr<int64_t> tables =
      Number(absl::StrCat("SELECT COUNT(*) FROM sqlite_schema WHERE sql IN ('", kOwnersTable, "', '", kIntentsTable,
                          "', '", kDestinationsTable, "')")
                 .c_str());
  if (!tables.ok()) return tables.status();
  if (*tables != (version == 1 ? 2 : 3)) return absl::DataLossError(name_ + ": is damaged");
  Statement check(db_, "PRAGMA quick_check(1)");
  const bool sound = check.Step() && check.Bytes(0) == "ok";
  if (absl::Status status = check.status(name_); !status.ok()) return status;
  return sound ? absl::OkStatus() : absl::DataLossError(name_ + ": is damaged");
}

// Locks the owner before others can see it. Without a lock it would count as dead.
absl::Status SqliteJournal::BecomeOwner() {
  if (absl::Status status = Run("BEGIN IMMEDIATE; INSERT INTO owners DEFAULT VALUES;"); !status.ok()) return status;
  const int64_t owner = sqlite3_last_insert_rowid(db_);
  if (!locks_.TryLock(owner)) return absl::UnavailableError(name_ + ": its locks do not work");
  absl::Status status = Run("COMMIT");
  if (status.ok()) owner_ = owner;
  return status;
}

// Commits all of the body, or nothing.
absl::Status SqliteJournal::InTransaction(absl::FunctionRef<absl::Status()> body) {
  if (absl::Status status = Run("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status = body();
  if (status.ok()) status = Run("COMMIT");
  if (!status.ok()) Run("ROLLBACK").IgnoreError();
  return status;
}

std::vector<absl::StatusOr<int64_t>> SqliteJournal::BeginAll(absl::Span<const RawCall* const> calls,
                                                             const Destination& destination) {
  if (absl::Status status = process_.Check("journal"); !status.ok())
    return std::vector<absl::StatusOr<int64_t>>(calls.size(), status);
  absl::MutexLock lock(&mu_);
  std::vector<absl::StatusOr<int64_t>> ids;
  const absl::Status begun = InTransaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const RawCall* const call : calls) {
      const absl::Status refusal = CheckNotOpenElsewhere(*call, destination);
      ids.push_back(refusal.ok() ? Insert(*call, destination) : refusal);
      // A refusal concerns only its call. Any other error concerns the file.
      if (!ids.back().ok() && !absl::IsFailedPrecondition(ids.back().status())) return ids.back().status();
    }
    return absl::OkStatus();
  });
  if (!begun.ok()) return std::vector<absl::StatusOr<int64_t>>(calls.size(), begun);
  for (const absl::StatusOr<int64_t>& id : ids) {
    if (id.ok()) at_work_.insert(*id);
  }
  return ids;
}

absl::StatusOr<int64_t> SqliteJournal::Insert(const RawCall& call, const Destination& destination) {
  Statement insert(db_,
                   "INSERT INTO intents (owner, begun_us, method, request, token, token_in_request) "
                   "VALUES (?, ?, ?, ?, ?, ?)");
  insert.Bind(owner_).Bind(absl::ToUnixMicros(absl::Now())).Bind(call.method).Bind(call.request).Bind(call.token);
  insert.Bind(static_cast<int64_t>(call.token_in_request)).Step();
  if (absl::Status status = insert.status(name_); !status.ok()) return status;
  const int64_t id = sqlite3_last_insert_rowid(db_);
  Statement locate(db_, "INSERT INTO destinations (intent, endpoint, caller) VALUES (?, ?, ?)");
  locate.Bind(id).Bind(destination.endpoint).Bind(destination.caller).Step();
  if (absl::Status status = locate.status(name_); !status.ok()) return status;
  return id;
}

// Refuses a call that was left open at another destination, where it may have had its effect. If the call is still
// running there, it is meant for both destinations.
absl::Status SqliteJournal::CheckNotOpenElsewhere(const RawCall& call, const Destination& destination) {
  if (destination.endpoint.empty()) return absl::OkStatus();
  Statement read(db_,
                 "SELECT id, owner, endpoint, caller FROM intents JOIN destinations ON intent = id "
                 "WHERE token = ? AND method = ? AND request = ? AND length(endpoint) > 0");
  read.Bind(call.token).Bind(call.method).Bind(call.request);
  while (read.Step()) {
    const Destination other{.endpoint = read.Bytes(2), .caller = read.Bytes(3)};
    const bool is_same = other.caller == destination.caller && ShareAnEndpoint(other.endpoint, destination.endpoint);
    if (is_same || at_work_.contains(read.Int(0))) continue;
    if (const int64_t owner = read.Int(1); owner != owner_) {
      if (!locks_.TryLock(owner)) continue;
      locks_.Unlock(owner);
    }
    return absl::FailedPreconditionError(absl::StrCat(name_, ": the same call with token ", call.token,
                                                      " was left open at ", Describe(other),
                                                      ", where it may have been made; at ", Describe(destination),
                                                      " it would be made a second time. Resume it there first"));
  }
  return read.status(name_);
}

absl::Status SqliteJournal::CompleteAll(absl::Span<const int64_t> ids) {
  if (absl::Status status = process_.Check("journal"); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  absl::Status status = InTransaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const int64_t id : ids) {
      for (const char* const sql : {"DELETE FROM intents WHERE id = ?", "DELETE FROM destinations WHERE intent = ?"}) {
        Statement remove(db_, sql);
        remove.Bind(id).Step();
        if (absl::Status removed = remove.status(name_); !removed.ok()) return removed;
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  for (const int64_t id : ids) at_work_.erase(id);
  return status;
}

void SqliteJournal::LeaveOpen(int64_t id) {
  if (!process_.IsThisOne()) return;
  absl::MutexLock lock(&mu_);
  at_work_.erase(id);
}

// Returns the owners whose locks are free.
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
  if (absl::Status status = read.status(name_); !status.ok()) return status;
  return dead;
}

absl::Status SqliteJournal::Adopt(int64_t dead_owner) {
  Statement adopt(db_, "UPDATE intents SET owner = ? WHERE owner = ?");
  adopt.Bind(owner_).Bind(dead_owner).Step();
  if (absl::Status status = adopt.status(name_); !status.ok()) return status;
  Statement forget(db_, "DELETE FROM owners WHERE id = ?");
  forget.Bind(dead_owner).Step();
  return forget.status(name_);
}

// Takes over the intents of missing owners. Every running process has an owner, so these result from damage: SQLite has
// no checksums, and a changed number looks valid.
absl::Status SqliteJournal::AdoptOrphans() {
  Statement adopt(db_, "UPDATE intents SET owner = ? WHERE owner NOT IN (SELECT id FROM owners)");
  adopt.Bind(owner_).Step();
  return adopt.status(name_);
}

absl::StatusOr<std::vector<TokenJournal::Intent>> SqliteJournal::OwnIntents() {
  std::vector<Intent> intents;
  Statement read(db_,
                 "SELECT id, begun_us, method, request, token, token_in_request, endpoint, caller "
                 "FROM intents LEFT JOIN destinations ON intent = id WHERE owner = ? ORDER BY id");
  read.Bind(owner_);
  while (read.Step()) {
    if (at_work_.contains(read.Int(0))) continue;
    intents.push_back({.id = read.Int(0),
                       .begun = absl::FromUnixMicros(read.Int(1)),
                       .call = {.method = read.Bytes(2),
                                .request = read.Bytes(3),
                                .token = read.Bytes(4),
                                .token_in_request = read.Int(5) != 0,
                                .attempted_before = true},
                       .destination = {.endpoint = read.Bytes(6), .caller = read.Bytes(7)}});
  }
  if (absl::Status status = read.status(name_); !status.ok()) return status;
  return intents;
}

absl::StatusOr<std::vector<TokenJournal::Intent>> SqliteJournal::TakeOver() {
  if (absl::Status status = process_.Check("journal"); !status.ok()) return status;
  absl::MutexLock lock(&mu_);
  // The transaction orders processes that take over at the same time.
  const absl::Status adopted = InTransaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const absl::StatusOr<std::vector<int64_t>> dead = DeadOwners();
    absl::Status status = dead.status();
    for (const int64_t owner : dead.value_or(std::vector<int64_t>())) {
      if (status.ok()) status = Adopt(owner);
    }
    return status.ok() ? AdoptOrphans() : status;
  });
  if (!adopted.ok()) return adopted;
  absl::StatusOr<std::vector<Intent>> intents = OwnIntents();
  if (!intents.ok()) return intents;
  for (const Intent& intent : *intents) at_work_.insert(intent.id);
  return intents;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenJournal>> TokenJournal::Open(const std::string& path) {
  auto journal = std::make_unique<SqliteJournal>(path);
  if (absl::Status status = journal->Open(); !status.ok()) return status;
  return journal;
}

}  // namespace hapax::client
