#ifndef HAPAX_SERVER_GRPC_LISTENER_H_
#define HAPAX_SERVER_GRPC_LISTENER_H_

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
#include "hapax/base/listening_sockets.h"
#include "hapax/server/grpc/connection.h"

namespace hapax {

// Accepts connections and hands them to a gRPC server, up to a limit; one more is closed at once. A flooded connection
// is reset, and so is a stranger's with too many open calls (connection.h).
//
// Strangers have a lower limit. New connections wait to be accepted while that is reached, or while the higher limit is
// reached and some are strangers. For each waiting connection, the oldest stranger whose time of grace is over is
// reset. So strangers that only hold connections keep nobody out, and clients that all come at once are accepted as
// fast as they make their first calls.
//
// gRPC 1.51 can listen by itself, but without a limit. Its first accept without a free descriptor ends listening for
// good: anybody who opens enough connections would lock everybody out until a restart.
//
// Thread-safety: for one thread, except ConnectionOf and Find. A thread of its own accepts connections.
class Listener {
 public:
  struct Limits {
    int max_connections = 1;
    int max_stranger_connections = 1;
    // How long a stranger's connection is safe from a reset for others: enough for a handshake and a call over long
    // distances.
    absl::Duration stranger_grace = absl::Milliseconds(500);
  };

  // Listens (listening_sockets.h); connections wait until Start. Raises the process's soft limit of descriptors to the
  // hard one, and lowers `max_connections` to fit into it.
  // Errors: those of ListeningSockets::Open.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address, const Limits& limits);
  ~Listener() { Stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int port() const { return sockets_.port(); }
  // The addresses that were skipped.
  [[nodiscard]] const std::vector<std::string>& skipped_addresses() const { return sockets_.skipped_addresses(); }

  // The descriptor of the open connection with this peer, as gRPC writes it. For any thread.
  [[nodiscard]] std::optional<int> ConnectionOf(const std::string& peer) const;
  // The record of that connection; null if none with that peer was accepted here. For any thread.
  [[nodiscard]] std::shared_ptr<Connection> Find(std::string_view peer) const;

  // Starts to hand over connections. Requires: the acceptor's server runs until Stop.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // Accepts no more connections; accepted ones belong to gRPC.
  void Stop();

 private:
  explicit Listener(const Limits& limits);

  void Run();
  void AcceptAll(int socket);
  // Accepts and records the next waiting connection. Returns a negative errno for none; nullopt if there was no room
  // and it was closed at once.
  [[nodiscard]] std::optional<int> Accept(int socket);
  void HandOver(int connection, int socket);
  // Whether a connection may be accepted, even if only to be closed. Otherwise it waits for a stranger's to end.
  [[nodiscard]] bool HasRoomForStranger();
  [[nodiscard]] bool AreStrangersTooMany() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  // Resets up to `count` of the oldest strangers, but none within its time of grace.
  void EndOldestStrangers(size_t count);
  // Whether one more connection may be kept.
  [[nodiscard]] bool HasRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  void WatchFloods();
  // Resets flooded and clogged connections, and removes closed ones.
  void EndFlooded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  void ForgetClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);
  // Accepts nothing for a moment; waiting connections go on waiting.
  void Pause(int milliseconds) const;

  const Limits limits_;
  int stop_;  // An eventfd; -1 after Stop.
  ListeningSockets sockets_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  // By descriptor. If the descriptor has another inode or none, gRPC has closed the connection.
  absl::Mutex connections_mu_;
  absl::flat_hash_map<int, std::shared_ptr<Connection>> connections_ ABSL_GUARDED_BY(connections_mu_);
  // In the order of acceptance. May include closed connections, and some with an admitted call by now.
  std::vector<std::shared_ptr<Connection>> strangers_ ABSL_GUARDED_BY(connections_mu_);
  mutable absl::Mutex mu_;
  // May include closed connections.
  absl::flat_hash_map<std::string, std::shared_ptr<Connection>> by_peer_ ABSL_GUARDED_BY(mu_);
  // When closed connections were last looked for; monotonic time.
  absl::Duration looked_at_ ABSL_GUARDED_BY(connections_mu_) = -absl::InfiniteDuration();
  bool stopping_ ABSL_GUARDED_BY(connections_mu_) = false;
  std::thread thread_;
  // A thread of its own, since the accepting thread may be busy: gRPC reads from a new connection on the thread that
  // hands it over, as long as bytes arrive.
  std::thread flood_watch_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_LISTENER_H_
