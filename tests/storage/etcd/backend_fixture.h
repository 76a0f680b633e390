#ifndef HAPAX_TESTS_STORAGE_ETCD_BACKEND_FIXTURE_H_
#define HAPAX_TESTS_STORAGE_ETCD_BACKEND_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>

#include "hapax/storage/etcd/backend.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/remote_backend_fixture.h"

namespace hapax {

inline std::unique_ptr<RemoteBackend> OpenBackend(const EtcdOptions& options, const std::string& prefix) {
  auto backend = OpenEtcdBackend(options, prefix);
  EXPECT_THAT(backend, IsOk());
  return *std::move(backend);
}

class EtcdBackendTest : public RemoteBackendFixture {
 protected:
  EtcdBackendTest() {
    proxy_ = std::make_unique<TcpProxy>(SharedEtcd().endpoint(0));
    backend_ = OpenBackend(SharedEtcd().ClientOptions(), prefix_);
    slot_ = Taken(*backend_);
  }

  std::unique_ptr<RemoteBackend> OpenThroughProxy() const {
    EtcdOptions options = SharedEtcd().ClientOptions();
    options.endpoints = {proxy_->endpoint()};
    return OpenBackend(options, prefix_);
  }

  const std::string prefix_ = NewPrefix();
};

// What each backend promises is tried on this one (remote_backend_test.cc).
using RemoteBackendTest = EtcdBackendTest;

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_BACKEND_FIXTURE_H_
