#ifndef HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_
#define HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "hapax/base/worker_pool.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/storage/store.h"

namespace hapax {

// The handlers of hapax.admin.v1.Admin. Making and listing backups takes long, so it runs on threads of its own.
//
// Thread-safety: safe.
// Lifetime: the store outlives it. The destructor closes it, and returns when all calls have ended.
class AdminService {
 public:
  // `backup_dir`: the directory of the backups. If it is empty, all calls are refused.
  AdminService(Store& store, std::string backup_dir);
  ~AdminService();
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // The service to host. The AdminService outlives it.
  [[nodiscard]] std::unique_ptr<HostedService> Host();

  // Refuses further backups, and cancels a running one: its call ends with UNAVAILABLE, and no backup is left. Does not
  // wait.
  void Close() { closed_ = true; }

 private:
  // Ends the call with the result of `answer`, which runs on another thread.
  void Answer(UnaryCall& call, absl::AnyInvocable<absl::StatusOr<std::string>()> answer);
  [[nodiscard]] absl::StatusOr<std::string> CreateBackup();
  [[nodiscard]] absl::StatusOr<std::string> ListBackups() const;

  Store& store_;
  const std::string backup_dir_;
  std::atomic<bool> is_backing_up_ = false;
  std::atomic<bool> closed_ = false;
  WorkerPool workers_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_
