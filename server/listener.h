#ifndef HAPAX_SERVER_LISTENER_H_
#define HAPAX_SERVER_LISTENER_H_

#include <netdb.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"

namespace hapax {

// Accepts connections and hands them to a gRPC server, so many at a time; one more is closed at once.
//
// gRPC 1.51 listens by itself, but without a bound, and the first accept that finds no free descriptor ends that for
// good: whoever opens enough connections would shut everybody out until a restart.
//
// Thread-safety: for one thread, but for ConnectionOf. Connections are accepted on one of its own.
class Listener {
 public:
  // Listens on `HOST:PORT`, and on each address that a name stands for; connections wait until Start. Port 0 takes one
  // that is free on all of them. Raises the process's soft limit of descriptors to the hard one, and lowers
  // `max_connections` to what that has room for. Errors: UNAVAILABLE, naming the address, when one cannot be listened
  // on: else callers of the name would now and then reach whoever else listens there. An address that is not this
  // machine's, such as ::1 without IPv6, reaches nobody: it is left out when there are others.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address, int max_connections);
  ~Listener() { Stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // The addresses that were left out.
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

  // The descriptor of the open connection with that peer, as gRPC writes it; from any thread.
  [[nodiscard]] std::optional<int> ConnectionOf(const std::string& peer) const;

  // Begins to hand over connections. The acceptor's server runs, and does so until Stop.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // Takes no more connections, for good; those that were taken are gRPC's.
  void Stop();

 private:
  explicit Listener(int max_connections);

  // What became of listening on all of the addresses: the port was taken on one, though the first had it.
  enum class Listening { kDone, kPortTaken, kFailed };
  [[nodiscard]] Listening ListenOnAll(const addrinfo* addresses, std::string& problem);
  void CloseSockets();

  void Run();
  void AcceptAll(int socket);
  void Take(int connection, int socket);
  // Whether another connection may be taken.
  [[nodiscard]] bool HasRoom();

  const int max_connections_;
  int stop_;  // An eventfd; -1 after Stop.
  std::vector<int> sockets_;
  std::vector<std::string> left_out_;
  int port_ = 0;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  // The inode of what was accepted as a descriptor: another one there, or none, tells that gRPC has closed it.
  absl::flat_hash_map<int, ino_t> connections_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<std::string, int> by_peer_ ABSL_GUARDED_BY(mu_);  // Some of them closed.
  // When it was last found out which are closed: monotonic time.
  absl::Duration looked_at_ = -absl::InfiniteDuration();
  std::thread thread_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_LISTENER_H_
