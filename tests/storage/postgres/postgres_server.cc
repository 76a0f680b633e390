#include "hapax/tests/storage/postgres/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

namespace fs = std::filesystem;

void Check(bool ok, const char* action) {
  if (!ok) throw std::system_error(errno, std::generic_category(), action);
}

// Debian has a directory for each release, and none of them is on the path.
std::string Program(const std::string& name) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& release : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(release.path() / "bin" / name)) found.push_back((release.path() / "bin" / name).string());
  }
  if (found.empty()) throw std::runtime_error("PostgreSQL is not installed: run scripts/setup");
  return *std::max_element(found.begin(), found.end());
}

// PostgreSQL refuses to run as root. Its parent's end ends it, too.
pid_t Spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "KILL"};
  if (::geteuid() == 0) words.insert(words.end(), {"--reuid", "postgres", "--regid", "postgres", "--clear-groups"});
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, output, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  pid_t pid = -1;
  errno = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  Check(errno == 0, "PostgreSQL cannot be started");
  return pid;
}

int FreePort() {
  // Below those that Linux gives to outgoing connections, which would take a port between its choice and its use.
  constexpr uint16_t kFirst = 20'000;
  constexpr uint16_t kLast = 32'000;
  std::mt19937 random{std::random_device()()};
  for (int tries = 0; tries < 1000; ++tries) {
    const uint16_t port = std::uniform_int_distribution<uint16_t>(kFirst, kLast)(random);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    ::close(socket);
    if (is_free) return port;
  }
  throw std::runtime_error("no free port");
}

// Finds PostgreSQL's messages: a byte with the type, then the size, 4 bytes BE, which counts itself. A client's first
// one has no type.
class PostgresCounter final : public MessageCounter {
 public:
  explicit PostgresCounter(bool is_client) : end_(is_client ? 'S' : 'Z'), has_type_(!is_client) {}

  void Add(const char* bytes, size_t size) override {
    for (; size > 0; ++bytes, --size) {
      if (skip_ > 0) {
        if (--skip_ == 0) End();
        continue;
      }
      header_.push_back(*bytes);
      if (header_.size() < (has_type_ ? 5U : 4U)) continue;
      uint32_t length = 0;
      for (const char byte : header_.substr(has_type_ ? 1 : 0)) length = length << 8 | static_cast<uint8_t>(byte);
      skip_ = length - 4;
      if (skip_ == 0) End();
    }
  }
  [[nodiscard]] int messages() const override { return messages_; }

 private:
  void End() {
    if (has_type_ && header_[0] == end_) ++messages_;
    has_type_ = true;
    header_.clear();
  }

  const char end_;  // Of what is sent at once: Sync, and ReadyForQuery.
  bool has_type_;
  std::string header_;
  size_t skip_ = 0;
  int messages_ = 0;
};

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> settings) : settings_(std::move(settings)), port_(FreePort()) {
  OwnDirectory();
  const pid_t pid = Spawn({Program("initdb"), "--pgdata=" + dir_.Path("data"), "--username=postgres", "--auth=trust",
                           "--no-sync", "--encoding=UTF8", "--locale=C"},
                          dir_.Path("initdb.log"));
  int status = -1;
  ::waitpid(pid, &status, 0);
  Check(status == 0, "initdb failed");
  Start();
}

// It recovers up to the end of the copy, and so begins a timeline of its own.
PostgresServer::PostgresServer(CopyOf copied) : settings_(copied.server.settings_), port_(FreePort()) {
  OwnDirectory();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{Program("pg_basebackup"), "--pgdata=" + dir_.Path("data"),
                                              "--dbname=" + copied.server.Conninfo(), "--checkpoint=fast", "--no-sync"},
                                             {"touch", dir_.Path("data/recovery.signal")}}) {
    int status = -1;
    ::waitpid(Spawn(command, dir_.Path("copy.log")), &status, 0);
    Check(status == 0, "PostgreSQL cannot be copied");
  }
  settings_.insert(settings_.end(),
                   {"restore_command=false", "recovery_target=immediate", "recovery_target_action=promote"});
  Start();
}

void PostgresServer::OwnDirectory() const {
  if (::geteuid() != 0) return;
  const pid_t pid = Spawn({"id", "-u"}, dir_.Path("uid"));
  ::waitpid(pid, nullptr, 0);
  uid_t uid = 0;
  std::ifstream(dir_.Path("uid")) >> uid;
  Check(uid != 0 && ::chown(dir_.Path().c_str(), uid, static_cast<gid_t>(-1)) == 0, "no user postgres");
}

PostgresServer::~PostgresServer() { Crash(); }

void PostgresServer::Start() {
  std::vector<std::string> words = {Program("postgres"), "-D", dir_.Path("data"), "-p", absl::StrCat(port_)};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off",
                                       "shared_buffers=16MB", "max_wal_size=64MB"};
  settings.insert(settings.end(), settings_.begin(), settings_.end());
  for (const std::string& setting : settings) words.insert(words.end(), {"-c", setting});
  pid_ = Spawn(words, dir_.Path("log"));
  for (int tries = 0; tries < 3000; ++tries) {
    if (PgSession::Connect(Conninfo(), /*wake_fd=*/-1).ok()) return;
    absl::SleepFor(absl::Milliseconds(10));
  }
  FAIL() << "PostgreSQL does not answer:\n" << Log();
}

void PostgresServer::Crash() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGQUIT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string PostgresServer::endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

std::string PostgresServer::Conninfo(const std::string& endpoint) const {
  const size_t colon = endpoint.find(':');
  return absl::StrCat("host=", endpoint.substr(0, colon), " port=", endpoint.substr(colon + 1),
                      " user=postgres dbname=postgres sslmode=disable gssencmode=disable");
}

PostgresOptions PostgresServer::Options(const std::string& schema) const {
  return {.conninfo = Conninfo(),
          .schema = schema,
          .read_connections = 2,
          .commit_connections = 1,
          .request_timeout = absl::Seconds(20)};
}

std::string PostgresServer::Sql(const std::string& sql) const {
  auto session = PgSession::Connect(Conninfo(), /*wake_fd=*/-1);
  EXPECT_THAT(session, IsOk());
  if (!session.ok()) return "";
  const PgReply reply = (*session)->Run({{.sql = sql}}, absl::InfiniteDuration());
  EXPECT_THAT(reply.status, IsOk()) << sql;
  if (reply.rows.empty() || reply.rows[0].count() == 0) return "";
  return std::string(reply.rows[0].Bytes(0, 0));
}

void PostgresServer::Await(const std::string& sql, const std::string& expected) const {
  for (int tries = 0; tries < 10'000; ++tries) {
    if (Sql(sql) == expected) return;
  }
  FAIL() << sql << " does not return " << expected;
}

std::string PostgresServer::Log() const {
  std::ifstream log(dir_.Path("log"));
  return {std::istreambuf_iterator<char>(log), {}};
}

PostgresServer& SharedPostgres() {
  static PostgresServer server;
  return server;
}

std::string NewSchema() {
  static std::atomic<int> number = 0;
  return absl::StrCat("test", ++number);
}

TcpProxy::CounterMaker PostgresMessages() {
  return [](bool is_client) { return std::unique_ptr<MessageCounter>(new PostgresCounter(is_client)); };
}

}  // namespace hapax
