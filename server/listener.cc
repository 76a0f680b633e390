#include "hapax/server/listener.h"

#include <netdb.h>
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
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hapax/storage/check.h"

namespace hapax {
namespace {

constexpr int kBacklog = 1024;
// Descriptors for everything but connections, the database's files most of all.
constexpr rlim_t kOtherDescriptors = 512;
// Looking at thousands of descriptors takes a millisecond.
constexpr absl::Duration kLookInterval = absl::Milliseconds(10);
constexpr int kOutOfDescriptorsPauseMs = 100;

int RoomForConnections(int wanted) {
  rlimit limit{};
  HAPAX_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "every process has a limit of descriptors");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  // Where there is little room, half of it.
  const rlim_t room = std::max(limit.rlim_cur / 2, limit.rlim_cur - std::min(limit.rlim_cur, kOtherDescriptors));
  return static_cast<int>(std::min<rlim_t>(static_cast<rlim_t>(wanted), room));
}

// The addresses that a name stands for; null when it stands for none.
addrinfo* Resolve(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return nullptr;
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  int number = 0;
  if (!absl::SimpleAtoi(port, &number) || number < 0 || number > 65535) return nullptr;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  return getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0 ? found : nullptr;
}

in_port_t& PortOf(sockaddr* address) {
  return address->sa_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(address)->sin6_port
                                        : reinterpret_cast<sockaddr_in*>(address)->sin_port;
}

// A socket that listens there, or -1.
int ListenOn(const addrinfo& address) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int yes = 1;
  const int no = 0;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));  // Connections inherit it.
  if (address.ai_family == AF_INET6) setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (bind(socket, address.ai_addr, address.ai_addrlen) == 0 && listen(socket, kBacklog) == 0) return socket;
  close(socket);
  return -1;
}

std::optional<ino_t> InodeOf(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return std::nullopt;
  return status.st_ino;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const std::string& address, int max_connections) {
  std::unique_ptr<Listener> listener(new Listener(RoomForConnections(max_connections)));
  addrinfo* const addresses = Resolve(address);
  const absl::Cleanup free_addresses = [addresses] {
    if (addresses != nullptr) freeaddrinfo(addresses);
  };
  for (addrinfo* one = addresses; one != nullptr; one = one->ai_next) {
    // A name that stands for several addresses has the same port on each.
    if (listener->port_ != 0) PortOf(one->ai_addr) = htons(static_cast<uint16_t>(listener->port_));
    const int socket = ListenOn(*one);
    if (socket < 0) continue;
    listener->sockets_.push_back(socket);
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
    listener->port_ = ntohs(PortOf(reinterpret_cast<sockaddr*>(&bound)));
  }
  if (!listener->sockets_.empty()) return listener;
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": it is in use, or not an address of this machine"));
}

Listener::Listener(int max_connections) : max_connections_(max_connections), stop_(eventfd(0, EFD_CLOEXEC)) {
  HAPAX_CHECK(stop_ >= 0, "an eventfd takes one descriptor");
}

Listener::~Listener() {
  eventfd_write(stop_, 1);
  if (thread_.joinable()) thread_.join();
  for (const int socket : sockets_) close(socket);
  close(stop_);
}

void Listener::Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor) {
  acceptor_ = std::move(acceptor);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Run() {
  std::vector<pollfd> awaited = {{.fd = stop_, .events = POLLIN, .revents = 0}};
  for (const int socket : sockets_) awaited.push_back({.fd = socket, .events = POLLIN, .revents = 0});
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
    const int connection = accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      Take(connection, socket);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      // Out of descriptors or of memory. What waits is still there when some are free again.
      pollfd stop = {.fd = stop_, .events = POLLIN, .revents = 0};
      poll(&stop, 1, kOutOfDescriptorsPauseMs);
    }
    return;
  }
}

void Listener::Take(int connection, int socket) {
  const std::optional<ino_t> inode = InodeOf(connection);
  if (!inode.has_value() || !HasRoom()) {
    close(connection);
    return;
  }
  connections_[connection] = *inode;
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = socket;
  parameters.fd = connection;
  acceptor_->HandleNewConnection(&parameters);
}

bool Listener::HasRoom() {
  const auto limit = static_cast<size_t>(max_connections_);
  if (connections_.size() < limit) return true;
  const absl::Time now = absl::Now();
  if (now - looked_at_ < kLookInterval && now >= looked_at_) return false;
  looked_at_ = now;
  absl::erase_if(connections_, [](const auto& entry) { return InodeOf(entry.first) != entry.second; });
  return connections_.size() < limit;
}

}  // namespace hapax
