#ifndef HAPAX_STORAGE_ETCD_ACCESS_H_
#define HAPAX_STORAGE_ETCD_ACCESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "hapax/storage/etcd/options.h"

namespace hapax {

// The content of EtcdAccessFiles.
struct EtcdAccess {
  bool tls = false;
  std::string roots;
  std::string certificates;
  std::string key;
  std::string user;  // Empty: none.
  std::string password;
};

// Errors: "etcd_ca_file=<path>: <error>", and likewise etcd_cert_file, etcd_key_file and etcd_credentials_file.
// INVALID_ARGUMENT: the content is of another kind, or a file is given without those that it needs. NOT_FOUND,
// PERMISSION_DENIED: as of ReadGuardedFile. The message contains nothing of the content.
[[nodiscard]] absl::StatusOr<EtcdAccess> ReadEtcdAccess(const EtcdAccessFiles& files);

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_ACCESS_H_
