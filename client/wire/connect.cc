#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "grpcpp/security/credentials.h"
#include "hapax/base/clock.h"
#include "hapax/client/wire/connection.h"
#include "hapax/client/wire/endpoint.h"
#include "hapax/client/wire/failover_connection.h"
#include "hapax/client/wire/fork.h"
#include "hapax/client/wire/grpc_connection.h"
#include "hapax/client/wire/tls_files.h"

namespace hapax::client {

absl::StatusOr<std::shared_ptr<Connection>> Connect(const ConnectionOptions& options) {
  const absl::StatusOr<std::vector<std::string>> endpoints = ParseEndpoints(options.endpoint);
  if (!endpoints.ok()) return endpoints.status();
  const bool has_files =
      !options.tls_ca_file.empty() || !options.tls_cert_file.empty() || !options.tls_key_file.empty();
  if (!options.tls && has_files) return absl::InvalidArgumentError("files for TLS are given, but TLS is not asked for");
  const absl::StatusOr<TlsFiles> files = options.tls ? ReadTlsFiles(options) : TlsFiles();
  if (!files.ok()) return files.status();
  if (!CanBeSent(options.api_key)) return absl::InvalidArgumentError("the API key has characters that cannot be sent");
  if (!CanBeSent(options.tenant)) return absl::InvalidArgumentError("the tenant has characters that cannot be sent");
  if (absl::Status status = CheckGrpcSurvivedFork(); !status.ok()) return status;
  const auto credentials =
      options.tls
          ? grpc::SslCredentials(
                {.pem_root_certs = files->roots, .pem_private_key = files->key, .pem_cert_chain = files->certificates})
          : grpc::InsecureChannelCredentials();
  Metadata metadata;
  if (!options.api_key.empty()) metadata.emplace_back("x-api-key", options.api_key);
  if (!options.tenant.empty()) metadata.emplace_back("x-tenant-id", options.tenant);
  const std::string caller = CallerNameOf(options.api_key, options.tenant, files->certificates);

  const bool is_only = endpoints->size() == 1;
  std::vector<std::shared_ptr<EndpointConnection>> connections;
  connections.reserve(endpoints->size());
  for (const std::string& endpoint : *endpoints) {
    connections.push_back(OpenGrpcConnection(endpoint, is_only, credentials, metadata, caller));
  }
  if (is_only) return connections.front();
  // A random order spreads clients with the same list over all servers, and those of a lost server over the others.
  std::vector<size_t> order(connections.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), absl::BitGen());
  return std::make_shared<FailoverConnection>(std::move(connections), std::move(order), &MonotonicNow);
}

}  // namespace hapax::client
