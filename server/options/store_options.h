#ifndef HAPAX_SERVER_OPTIONS_STORE_OPTIONS_H_
#define HAPAX_SERVER_OPTIONS_STORE_OPTIONS_H_

#include <string>
#include <vector>

namespace hapax {

// The etcd cluster whose rows a server shares with others. Errors name these options etcd_endpoints, etcd_prefix and so
// on.
struct EtcdStoreOptions {
  static constexpr char kDefaultPrefix[] = "/hapax";

  // The `HOST:PORT` of each member.
  std::vector<std::string> endpoints;
  // What all keys begin with: "/", then letters, digits, "/", "_", "-" and ".". Servers with the same prefix share
  // their rows. No prefix begins with that of other servers.
  std::string prefix = kDefaultPrefix;
  // PEM file with the CAs of the members' certificates. Empty: connections are not encrypted.
  std::string ca_file;
  // PEM files with a certificate of the server's own and its key, for members that require one. Both or none.
  std::string cert_file;
  std::string key_file;
  // File with one line, `user:password`, that nobody else may read. Empty: no user.
  std::string credentials_file;
};

// The PostgreSQL whose rows a server shares with others. Errors name these options postgres_conninfo_file,
// postgres_schema and postgres_isolation.
struct PostgresStoreOptions {
  static constexpr char kDefaultSchema[] = "hapax";
  static constexpr char kDefaultIsolation[] = "advisory_locks";

  // File with a connection string of libpq, such as `host=10.0.0.1,10.0.0.2 dbname=hapax user=hapax password=...`, that
  // nobody else may read. Empty: the environment's HAPAX_POSTGRES_CONNINFO.
  std::string conninfo_file;
  // The schema of the tables: a lower-case letter, then lower-case letters, digits and "_". Servers with the same
  // database and schema share their rows.
  std::string schema = kDefaultSchema;
  // "advisory_locks", or "serializable" for databases without such locks. The same for all servers of the schema.
  std::string isolation = kDefaultIsolation;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_STORE_OPTIONS_H_
