#ifndef HAPAX_STORAGE_ETCD_OPTIONS_H_
#define HAPAX_STORAGE_ETCD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace hapax {

// The files by which a server is let into an etcd cluster.
struct EtcdAccessFiles {
  // The CAs of the members' certificates, in PEM. Empty: connections are not encrypted.
  std::string ca_file;
  // A certificate of the server's own and its key, in PEM, for members with --client-cert-auth. Both or none.
  std::string cert_file;
  std::string key_file;
  // One line, "user:password". Empty: no user.
  std::string credentials_file;
};

struct EtcdOptions {
  // "host:port" of each member.
  std::vector<std::string> endpoints;
  EtcdAccessFiles files;

  // The time for one request at one member. Then a read is tried at another, and the outcome of a commit is unknown: a
  // member that has lost its leader would keep it for longer.
  absl::Duration attempt_timeout = absl::Seconds(2);
  // The time for a request at all members.
  absl::Duration request_timeout = absl::Seconds(6);

  // The bounds on unfinished requests; one more is refused.
  size_t max_requests = 4096;
  int64_t max_request_bytes = int64_t{256} << 20;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_OPTIONS_H_
