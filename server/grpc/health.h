#ifndef HAPAX_SERVER_GRPC_HEALTH_H_
#define HAPAX_SERVER_GRPC_HEALTH_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hapax/external/health/health.pb.h"
#include "hapax/server/grpc/grpc_stream.h"

namespace hapax {

// Answers grpc.health.v1.Health: whether each service serves, and whether the server does (the empty name).
// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
//
// Thread-safety: safe.
// Lifetime: outlives the streams that it handles.
class Health {
 public:
  // Adds or updates the service.
  void SetServing(const std::string& service, bool serving);
  // Sets all services to NOT_SERVING.
  void SetNoneServing();
  // Ends every Watch with UNAVAILABLE, current ones after their last update, and later ones at once.
  void EndWatches();

  // Returns the handler of a call of Check or Watch.
  [[nodiscard]] std::unique_ptr<GrpcStream::Handler> HandleCheck(GrpcStream& stream);
  [[nodiscard]] std::unique_ptr<GrpcStream::Handler> HandleWatch(GrpcStream& stream);

 private:
  using Status = external::health::HealthCheckResponse::ServingStatus;
  class CheckHandler;
  class WatchHandler;
  class Watcher;

  // SERVICE_UNKNOWN if there is no such service.
  [[nodiscard]] Status StatusOf(const std::string& service) const;
  [[nodiscard]] bool WatchesEnded() const;
  void Add(std::shared_ptr<Watcher> watcher);
  void Remove(const std::shared_ptr<Watcher>& watcher);
  void UpdateWatchers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::map<std::string, Status> services_ ABSL_GUARDED_BY(mu_);
  std::set<std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mu_);
  bool watches_ended_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_HEALTH_H_
