#ifndef HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_
#define HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/base/worker_pool.h"
#include "hapax/server/hosting/hosted_service.h"
#include "hapax/server/hosting/work_status.h"
#include "hapax/storage/store.h"

namespace hapax {

// The handlers of hapax.admin.v1.Admin. They are answered on threads of its own, since backups take their time.
//
// Thread-safety: safe.
// Lifetime: the store and the work outlive it. The destructor closes it, and returns when all calls are answered.
class AdminService {
 public:
  struct Options {
    std::string store;       // The engine's name.
    std::string server_id;   // Empty if the engine has one server.
    std::string no_backups;  // Why the engine makes no backups; empty: it does.
    std::string backup_dir;  // Where backups are; empty refuses the calls about them.
    std::string version;     // Of Hapax.
    absl::Time start_time;   // Of the server.
  };

  AdminService(Store& store, WorkControl& work, Options options);
  ~AdminService();
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // The service to host. The AdminService outlives it.
  [[nodiscard]] std::unique_ptr<HostedService> Host();

  // Refuses further backups, and cancels a running one: its call ends with UNAVAILABLE, and no backup is left. Does not
  // wait.
  void Close() { closed_ = true; }

 private:
  // Makes a serialized reply.
  using Answering = absl::AnyInvocable<absl::StatusOr<std::string>()>;

  // Answers the call on another thread.
  void Answer(UnaryCall& call, Answering answer);
  // Likewise, when there is a directory for backups.
  void AnswerAboutBackups(UnaryCall& call, Answering answer);
  [[nodiscard]] absl::StatusOr<std::string> CreateBackup();
  [[nodiscard]] absl::StatusOr<std::string> ListBackups() const;
  [[nodiscard]] absl::StatusOr<std::string> GetStatus() const;
  [[nodiscard]] absl::StatusOr<std::string> RetryWork(const std::string& kind);

  Store& store_;
  WorkControl& work_;
  const Options options_;
  std::atomic<bool> is_backing_up_ = false;
  std::atomic<bool> closed_ = false;
  WorkerPool workers_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_ADMIN_SERVICE_H_
