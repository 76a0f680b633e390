#ifndef HAPAX_SERVER_COMPUTE_KEY_PAIRS_KEY_MATERIAL_H_
#define HAPAX_SERVER_COMPUTE_KEY_PAIRS_KEY_MATERIAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "hapax/compute/v1/resources.pb.h"

namespace hapax::compute {

// A new SSH key pair.
struct KeyMaterial {
  // PEM that `ssh-keygen -y` accepts, not encrypted: "openssh-key-v1" (OpenSSH's PROTOCOL.key) for Ed25519, PKCS#1 (RFC
  // 8017) for RSA.
  std::string private_key;
  // One line, as in `authorized_keys`, without a comment.
  std::string public_key;
  // `SHA256:` and the unpadded base64 of the public key's digest, as `ssh-keygen -l` prints it.
  std::string fingerprint;
};

// Makes a key pair; KEY_TYPE_UNSPECIFIED makes Ed25519. It takes about 0.1 ms for Ed25519 and 100 ms for RSA of 2048
// bits, so never call it on an event thread.
// Errors: INTERNAL when OpenSSL fails.
[[nodiscard]] absl::StatusOr<KeyMaterial> GenerateKey(v1::KeyType type);

}  // namespace hapax::compute

#endif  // HAPAX_SERVER_COMPUTE_KEY_PAIRS_KEY_MATERIAL_H_
