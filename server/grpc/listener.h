#ifndef HAPAX_SERVER_GRPC_LISTENER_H_
#define HAPAX_SERVER_GRPC_LISTENER_H_

#include <netdb.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "hapax/server/grpc/connection.h"

namespace hapax {

// Accepts connections and hands them to a gRPC server, so many at a time; one more is closed at once. One that is
// flooded with bytes of no call, or clogged with a stranger's open calls (connection.h), is reset.
//
// Strangers may have fewer. While they have as many, or some of them are among as many connections as there may be, new
// ones wait to be accepted. For each that waits the oldest stranger is reset, if it had its time for a call. So
// strangers that only hold connections keep out nobody, and clients that all come at once are taken as fast as they
// make their first calls.
//
// gRPC 1.51 listens by itself, but without a bound, and the first accept that finds no free descriptor ends that for
// good: whoever opens enough connections would shut everybody out until a restart.
//
// Thread-safety: for one thread, but for ConnectionOf and Find. Connections are accepted on one of its own.
class Listener {
 public:
  struct Limits {
    int max_connections = 1;
    int max_stranger_connections = 1;
    // How long a stranger's connection is not reset for another: a handshake and a call over long distances.
    absl::Duration stranger_grace = absl::Milliseconds(500);
  };

  // Listens on `HOST:PORT`, and on each address that a name stands for; connections wait until Start. Port 0 takes one
  // that is free on all of them. Raises the process's soft limit of descriptors to the hard one, and lowers
  // `max_connections` to what that has room for. Errors: UNAVAILABLE, naming the address, when one cannot be listened
  // on: else callers of the name would now and then reach whoever else listens there. An address that is not this
  // machine's, such as ::1 without IPv6, reaches nobody: it is left out when there are others.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address, const Limits& limits);
  ~Listener() { Stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // The addresses that were left out.
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

  // The descriptor of the open connection with that peer, as gRPC writes it; from any thread.
  [[nodiscard]] std::optional<int> ConnectionOf(const std::string& peer) const;
  // What is known of that connection; null when none with that peer was accepted here.
  [[nodiscard]] std::shared_ptr<Connection> Find(std::string_view peer) const;

  // Begins to hand over connections. The acceptor's server runs, and does so until Stop.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // Takes no more connections, for good; those that were taken are gRPC's.
  void Stop();

 private:
  explicit Listener(const Limits& limits);

  // What became of listening on all of the addresses: the port was taken on one, though the first had it.
  enum class Listening { kDone, kPortTaken, kFailed };
  [[nodiscard]] Listening ListenOnAll(const addrinfo* addresses, std::string& problem);
  void CloseSockets();

  void Run();
  void AcceptAll(int socket);
  // The next connection that waits, remembered; a negative errno for none; closed at once, and nullopt, without room.
  [[nodiscard]] std::optional<int> Accept(int socket);
  void HandOver(int connection, int socket);
  // Whether a connection may be accepted, be it to be closed at once; else it waits for a stranger's to go.
  [[nodiscard]] bool HasRoomForStranger();
  [[nodiscard]] bool AreStrangersTooMany() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  // Resets so many of the strangers that came first, but none in its time of grace.
  void EndOldestStrangers(size_t count);
  // Whether another connection may be taken.
  [[nodiscard]] bool HasRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  void WatchFloods();
  // Resets those that are flooded or clogged, and forgets those that are closed.
  void EndFlooded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  void ForgetClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  // Accepts nothing for a moment; what waits is still there then.
  void Pause(int milliseconds) const;

  const Limits limits_;
  int stop_;  // An eventfd; -1 after Stop.
  std::vector<int> sockets_;
  std::vector<std::string> left_out_;
  int port_ = 0;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  // By descriptor. Another inode there, or none, tells that gRPC has closed it.
  absl::Mutex connections_mu_;
  absl::flat_hash_map<int, std::shared_ptr<Connection>> connections_ ABSL_GUARDED_BY(connections_mu_);
  // In the order they were accepted; some of them closed, and of some a call was admitted meanwhile.
  std::vector<std::shared_ptr<Connection>> strangers_ ABSL_GUARDED_BY(connections_mu_);
  mutable absl::Mutex mu_;
  // Some of them closed.
  absl::flat_hash_map<std::string, std::shared_ptr<Connection>> by_peer_ ABSL_GUARDED_BY(mu_);
  // When it was last found out which are closed: monotonic time.
  absl::Duration looked_at_ ABSL_GUARDED_BY(connections_mu_) = -absl::InfiniteDuration();
  bool stopping_ ABSL_GUARDED_BY(connections_mu_) = false;
  std::thread thread_;
  // A thread of its own: gRPC reads from a new connection on the one that hands it over, for as long as something
  // comes.
  std::thread flood_watch_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_LISTENER_H_
