#include "hapax/server/options/store_flags.h"

#include <cstdint>
#include <vector>

#include "absl/flags/flag.h"

namespace {

constexpr char kDefaultDataDir[] = "data";

}  // namespace

ABSL_FLAG(std::string, store, "rocksdb",
          "Where the rows are. rocksdb: in --data_dir, of this server alone. etcd: in the cluster of --etcd_endpoints. "
          "postgres: in the database of --postgres_conninfo_file. The latter two are shared by several servers; see "
          "docs/several-servers.md");
ABSL_FLAG(std::string, data_dir, kDefaultDataDir,
          "With --store=rocksdb: directory of the database; created when it does not exist. One server at a time may "
          "use it");
ABSL_FLAG(uint64_t, block_cache_bytes, uint64_t{256} << 20,
          "With --store=rocksdb: bytes of memory for the database's blocks, filters and indexes");
ABSL_FLAG(std::vector<std::string>, etcd_endpoints, {},
          "With --store=etcd: HOST:PORT of each member, with commas between them; required");
ABSL_FLAG(std::string, etcd_prefix, hapax::EtcdStoreOptions::kDefaultPrefix,
          "With --store=etcd: what all keys begin with, such as /hapax. Servers with the same prefix share their rows");
ABSL_FLAG(std::string, etcd_ca_file, "",
          "With --store=etcd: PEM file with the CAs of the members' certificates. Empty: connections to etcd are not "
          "encrypted");
ABSL_FLAG(std::string, etcd_cert_file, "",
          "With --store=etcd: PEM file with this server's certificate, for members with --client-cert-auth");
ABSL_FLAG(std::string, etcd_key_file, "",
          "With --store=etcd: PEM file with the private key of --etcd_cert_file, that nobody else may read");
ABSL_FLAG(std::string, etcd_credentials_file, "",
          "With --store=etcd: file with one line, user:password, that nobody else may read. Empty: no user");
ABSL_FLAG(std::string, postgres_conninfo_file, "",
          "With --store=postgres: file with a connection string of libpq, that nobody else may read. Empty: the "
          "environment variable HAPAX_POSTGRES_CONNINFO has it");
ABSL_FLAG(std::string, postgres_schema, hapax::PostgresStoreOptions::kDefaultSchema,
          "With --store=postgres: the schema of the tables. Servers with the same database and schema share their "
          "rows");
ABSL_FLAG(std::string, postgres_isolation, hapax::PostgresStoreOptions::kDefaultIsolation,
          "With --store=postgres: how transactions are kept apart. advisory_locks; or serializable, for databases "
          "without such locks. The same for all servers of the schema");
ABSL_FLAG(std::string, server_id, "",
          "With --store=etcd or postgres: this server's own name, the same after each restart; required. Of two "
          "servers with one "
          "name the later one stops the other. 1 to 64 letters, digits, \"-\", \"_\" and \".\"");
ABSL_FLAG(absl::Duration, work_lease, absl::Seconds(30),
          "With --store=etcd or postgres: how long a server that is not heard of keeps its work, such as booting an "
          "instance, until another takes it up; such as 30s");
ABSL_FLAG(absl::Duration, max_clock_skew, absl::Seconds(10),
          "With --store=etcd or postgres: by how much the clocks of the servers may differ; such as 10s, or inf. A "
          "server is not started while its clock surely differs by more from those of most others that run");

namespace hapax {

StoreFlags ReadStoreFlags() {
  StoreFlags flags;
  flags.store = absl::GetFlag(FLAGS_store);
  flags.data_dir = absl::GetFlag(FLAGS_data_dir);
  if (flags.store != "rocksdb" && flags.data_dir == kDefaultDataDir) flags.data_dir.clear();
  flags.block_cache_bytes = absl::GetFlag(FLAGS_block_cache_bytes);
  flags.etcd = {.endpoints = absl::GetFlag(FLAGS_etcd_endpoints),
                .prefix = absl::GetFlag(FLAGS_etcd_prefix),
                .ca_file = absl::GetFlag(FLAGS_etcd_ca_file),
                .cert_file = absl::GetFlag(FLAGS_etcd_cert_file),
                .key_file = absl::GetFlag(FLAGS_etcd_key_file),
                .credentials_file = absl::GetFlag(FLAGS_etcd_credentials_file)};
  flags.postgres = {.conninfo_file = absl::GetFlag(FLAGS_postgres_conninfo_file),
                    .schema = absl::GetFlag(FLAGS_postgres_schema),
                    .isolation = absl::GetFlag(FLAGS_postgres_isolation)};
  flags.server_id = absl::GetFlag(FLAGS_server_id);
  flags.work_lease = absl::GetFlag(FLAGS_work_lease);
  flags.max_clock_skew = absl::GetFlag(FLAGS_max_clock_skew);
  return flags;
}

}  // namespace hapax
