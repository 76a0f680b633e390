#ifndef HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_SERVER_H_
#define HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "hapax/storage/postgres/options.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {

// A real PostgreSQL on 127.0.0.1, with its data in a temporary directory. It does not wait for the disk.
//
//   PostgresServer server;
//   auto backend = OpenPostgresBackend(server.Options("schema"));
//
// The destructor ends it at once. Thread-safety: for one thread.
class PostgresServer {
 public:
  // `settings` are further ones, such as "max_connections=20". Returns once it answers.
  explicit PostgresServer(std::vector<std::string> settings = {});
  // A copy of one that runs, promoted: both can be written then, each without the other's later rows.
  struct CopyOf {
    const PostgresServer& server;
  };
  explicit PostgresServer(CopyOf copied);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  [[nodiscard]] std::string endpoint() const;
  // A superuser's connection string to the server, or to a proxy before it.
  [[nodiscard]] std::string Conninfo(const std::string& endpoint) const;
  [[nodiscard]] std::string Conninfo() const { return Conninfo(endpoint()); }
  // With one connection that writes, so that tests know which one it is.
  [[nodiscard]] PostgresOptions Options(const std::string& schema) const;

  // Runs one statement as a superuser and returns the first column of its first row, as text; "" if it has none. An
  // error fails the test.
  std::string Sql(const std::string& sql) const;
  // Runs `sql` until it returns this.
  void Await(const std::string& sql, const std::string& expected) const;

  void Start();
  // Ends it as a crash does (SIGQUIT), with all connections.
  void Crash();
  [[nodiscard]] std::string Log() const;

 private:
  // Gives the directory to the user that the server runs as.
  void OwnDirectory() const;

  const TempDir dir_;
  std::vector<std::string> settings_;
  int port_ = 0;
  pid_t pid_ = -1;
};

// The server that the tests of this program share, each with a schema of its own.
[[nodiscard]] PostgresServer& SharedPostgres();
// A schema that no other test has.
[[nodiscard]] std::string NewSchema();

// A proxy before a server, which knows PostgreSQL's messages.
[[nodiscard]] TcpProxy::CounterMaker PostgresMessages();

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_POSTGRES_POSTGRES_SERVER_H_
