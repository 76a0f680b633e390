#include "hapax/server/grpc/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

// Descriptors for everything but connections, mostly the database's files.
constexpr rlim_t kOtherDescriptors = 512;
// Checking thousands of descriptors takes a millisecond.
constexpr absl::Duration kLookInterval = absl::Milliseconds(10);
constexpr int kOutOfDescriptorsPauseMs = 100;
constexpr int kTooManyStrangersPauseMs = 10;
// How often connections are checked for floods; less often when there are thousands.
constexpr absl::Duration kFloodInterval = absl::Milliseconds(20);
constexpr absl::Duration kFloodIntervalOfOne = absl::Microseconds(10);

int RoomForConnections(int wanted) {
  rlimit limit{};
  HAPAX_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "every process has a limit of descriptors");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  // At least half of a small limit.
  const rlim_t room = std::max(limit.rlim_cur / 2, limit.rlim_cur - std::min(limit.rlim_cur, kOtherDescriptors));
  return static_cast<int>(std::min<rlim_t>(static_cast<rlim_t>(wanted), room));
}

in_port_t& PortOf(sockaddr* address) {
  return address->sa_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(address)->sin6_port
                                        : reinterpret_cast<sockaddr_in*>(address)->sin_port;
}

// Not by fstat: ThreadSanitizer intercepts it and reports a race with the descriptor's next owner. The inode detects
// exactly that owner.
std::optional<ino_t> InodeOf(int descriptor) {
  struct statx status {};
  if (statx(descriptor, "", AT_EMPTY_PATH, STATX_INO, &status) != 0) return std::nullopt;
  return status.stx_ino;
}

// Whether gRPC has closed the connection: its descriptor is free or has another owner.
bool IsClosed(const Connection& connection) { return InodeOf(connection.descriptor()) != connection.inode(); }

// How many connections wait to be accepted. Linux reports it for listening sockets as tcpi_unacked.
size_t ConnectionsWaiting(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_unacked : 0;
}

// The other end of a connection, as gRPC writes it; empty if it is gone.
std::string PeerOf(int connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  if (getpeername(connection, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return "";
  const int port = ntohs(PortOf(reinterpret_cast<sockaddr*>(&peer)));
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family != AF_INET6) {
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&peer)->sin_addr, text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", port);
  }
  const in6_addr& address = reinterpret_cast<sockaddr_in6*>(&peer)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", port);
  }
  inet_ntop(AF_INET6, &address, text, sizeof(text));
  return absl::StrCat("ipv6:%5B", text, "%5D:", port);
}

// Ends the connection at once, and leaves the descriptor open. After a shutdown, further input would still be read.
void Reset(int connection) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  static_cast<void>(connect(connection, &nowhere, sizeof(nowhere)));  // Fails if the connection has ended.
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address, const Limits& limits) {
  Limits possible = limits;
  possible.max_connections = RoomForConnections(limits.max_connections);
  possible.max_stranger_connections = std::min(limits.max_stranger_connections, possible.max_connections);
  std::unique_ptr<Listener> listener(new Listener(possible));
  HAPAX_ASSIGN_OR_RETURN(listener->sockets_, ListeningSockets::Open(address));
  return listener;
}

Listener::Listener(const Limits& limits) : limits_(limits), stop_(eventfd(0, EFD_CLOEXEC)) {
  HAPAX_CHECK(stop_ >= 0, "an eventfd takes one descriptor");
}

void Listener::Stop() {
  if (stop_ < 0) return;
  eventfd_write(stop_, 1);
  if (thread_.joinable()) thread_.join();
  {
    absl::MutexLock lock(&connections_mu_);
    stopping_ = true;
  }
  if (flood_watch_.joinable()) flood_watch_.join();
  sockets_.Close();
  close(std::exchange(stop_, -1));
  acceptor_ = nullptr;
}

void Listener::Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor) {
  acceptor_ = std::move(acceptor);
  thread_ = std::thread([this] { Run(); });
  flood_watch_ = std::thread([this] { WatchFloods(); });
}

void Listener::Run() {
  std::vector<pollfd> awaited = {{.fd = stop_, .events = POLLIN, .revents = 0}};
  for (const int socket : sockets_.sockets()) awaited.push_back({.fd = socket, .events = POLLIN, .revents = 0});
  while (true) {
    poll(awaited.data(), awaited.size(), -1);
    if (awaited.front().revents != 0) return;
    for (size_t i = 1; i < awaited.size(); ++i) {
      if (awaited[i].revents != 0) AcceptAll(awaited[i].fd);
    }
  }
}

void Listener::AcceptAll(int socket) {
  while (true) {
    if (!HasRoomForStranger()) {
      EndOldestStrangers(ConnectionsWaiting(socket));
      return Pause(kTooManyStrangersPauseMs);
    }
    const std::optional<int> connection = Accept(socket);
    if (!connection.has_value()) continue;
    if (*connection >= 0) {
      HandOver(*connection, socket);
      continue;
    }
    const int error = -*connection;
    if (error == EINTR || error == ECONNABORTED) continue;
    if (error != EAGAIN && error != EWOULDBLOCK) Pause(kOutOfDescriptorsPauseMs);  // Or of memory.
    return;
  }
}

void Listener::Pause(int milliseconds) const {
  pollfd stop = {.fd = stop_, .events = POLLIN, .revents = 0};
  poll(&stop, 1, milliseconds);
}

std::optional<int> Listener::Accept(int socket) {
  std::shared_ptr<Connection> taken;
  {
    // Under the lock, so that nobody takes the new descriptor for a closed connection's.
    absl::MutexLock lock(&connections_mu_);
    const int connection = accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return -errno;
    const std::optional<ino_t> inode = InodeOf(connection);
    if (!inode.has_value() || !HasRoom()) {
      close(connection);
      return std::nullopt;
    }
    taken = std::make_shared<Connection>(connection, *inode, MonotonicNow());
    connections_[connection] = taken;
    strangers_.push_back(taken);
  }
  absl::MutexLock lock(&mu_);
  // Removes closed connections from time to time.
  if (by_peer_.size() >= 2 * static_cast<size_t>(limits_.max_connections)) {
    absl::erase_if(by_peer_, [](const auto& entry) { return PeerOf(entry.second->descriptor()) != entry.first; });
  }
  by_peer_[PeerOf(taken->descriptor())] = taken;
  return taken->descriptor();
}

void Listener::HandOver(int connection, int socket) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = socket;
  parameters.fd = connection;
  acceptor_->HandleNewConnection(&parameters);
}

std::optional<int> Listener::ConnectionOf(const std::string& peer) const {
  absl::MutexLock lock(&mu_);
  const auto known = by_peer_.find(peer);
  if (known == by_peer_.end() || PeerOf(known->second->descriptor()) != peer) return std::nullopt;
  return known->second->descriptor();
}

std::shared_ptr<Connection> Listener::Find(std::string_view peer) const {
  absl::MutexLock lock(&mu_);
  const auto known = by_peer_.find(absl::string_view(peer.data(), peer.size()));
  return known == by_peer_.end() ? nullptr : known->second;
}

void Listener::WatchFloods() {
  absl::MutexLock lock(&connections_mu_);
  while (true) {
    const absl::Duration interval = kFloodInterval + connections_.size() * kFloodIntervalOfOne;
    if (connections_mu_.AwaitWithTimeout(absl::Condition(&stopping_), interval)) return;
    EndFlooded();
  }
}

// gRPC owns the descriptors, and sees the connections reset.
void Listener::EndFlooded() {
  const absl::Duration now = MonotonicNow();
  absl::erase_if(connections_, [now](const auto& entry) {
    const auto& [descriptor, connection] = entry;
    const uint64_t received = BytesReceived(descriptor);
    const bool takes_too_much = connection->IsFlooded(received) || connection->IsClogged(now);
    if (received > 0 && !takes_too_much) return false;
    if (IsClosed(*connection)) return true;
    if (received > 0) Reset(descriptor);
    return false;
  });
}

bool Listener::HasRoom() {
  const auto limit = static_cast<size_t>(limits_.max_connections);
  if (connections_.size() < limit) return true;
  const absl::Duration now = MonotonicNow();
  if (now - looked_at_ < kLookInterval) return false;
  looked_at_ = now;
  ForgetClosed();
  return connections_.size() < limit;
}

bool Listener::HasRoomForStranger() {
  absl::MutexLock lock(&connections_mu_);
  if (!AreStrangersTooMany()) return true;
  std::erase_if(strangers_, [](const auto& connection) { return !connection->is_strangers(); });
  if (!AreStrangersTooMany()) return true;
  // A reset connection counts until gRPC closes it, since it uses memory until then.
  ForgetClosed();
  return !AreStrangersTooMany();
}

bool Listener::AreStrangersTooMany() const {
  if (strangers_.empty()) return false;
  return strangers_.size() >= static_cast<size_t>(limits_.max_stranger_connections) ||
         connections_.size() >= static_cast<size_t>(limits_.max_connections);
}

void Listener::EndOldestStrangers(size_t count) {
  absl::MutexLock lock(&connections_mu_);
  const absl::Duration late = MonotonicNow() - limits_.stranger_grace;
  for (const auto& stranger : strangers_) {
    if (count == 0 || stranger->accepted_at() > late) return;
    --count;
    if (stranger->is_strangers() && !IsClosed(*stranger)) Reset(stranger->descriptor());
  }
}

void Listener::ForgetClosed() {
  std::erase_if(strangers_, [](const auto& connection) { return IsClosed(*connection); });
  absl::erase_if(connections_, [](const auto& entry) { return IsClosed(*entry.second); });
}

}  // namespace hapax
