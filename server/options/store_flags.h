#ifndef HAPAX_SERVER_OPTIONS_STORE_FLAGS_H_
#define HAPAX_SERVER_OPTIONS_STORE_FLAGS_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "hapax/server/options/store_options.h"

namespace hapax {

// Where the rows are, by the command line. Each is documented at its flag, in store_flags.cc. Server::Open checks them.
struct StoreFlags {
  std::string store;
  std::string data_dir;  // Empty with another store than rocksdb, unless it was given.
  size_t block_cache_bytes = 0;
  EtcdStoreOptions etcd;
  PostgresStoreOptions postgres;
  std::string server_id;
  absl::Duration work_lease;
  absl::Duration max_clock_skew;
};

// Reads them. Requires: the command line is parsed.
[[nodiscard]] StoreFlags ReadStoreFlags();

}  // namespace hapax

#endif  // HAPAX_SERVER_OPTIONS_STORE_FLAGS_H_
