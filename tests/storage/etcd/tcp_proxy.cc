#include "hapax/tests/storage/etcd/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

constexpr size_t kFrameHeader = 9;

void Check(bool ok) {
  if (!ok) throw std::system_error(errno, std::generic_category(), "proxy");
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Returns -1 if nobody listens there.
int Connect(const std::string& target) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(std::atoi(target.substr(target.rfind(':') + 1).c_str()));
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return socket;
  ::close(socket);
  return -1;
}

void WriteAll(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (written <= 0) return;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

}  // namespace

void FrameCounter::Add(const char* bytes, size_t size) {
  while (size > 0) {
    if (skip_ > 0) {
      const size_t skipped = std::min(skip_, size);
      skip_ -= skipped;
      bytes += skipped;
      size -= skipped;
      if (skip_ == 0 && std::exchange(ends_, false)) ++messages_;
      continue;
    }
    header_.push_back(*bytes++);
    --size;
    if (header_.size() < kFrameHeader) continue;
    const auto byte = [this](int at) { return static_cast<uint8_t>(header_[at]); };
    skip_ = static_cast<size_t>(byte(0)) << 16 | static_cast<size_t>(byte(1)) << 8 | byte(2);
    const bool is_data_or_headers = byte(3) <= 1;
    ends_ = is_data_or_headers && (byte(4) & 1) != 0;
    if (skip_ == 0 && std::exchange(ends_, false)) ++messages_;
    header_.clear();
  }
}

struct TcpProxy::Connection {
  int client = -1;
  int member = -1;
  std::string held;
  bool holds = false;
  std::unique_ptr<MessageCounter> requests;
  std::unique_ptr<MessageCounter> responses;
  int held_requests = 0;
  std::thread from_client;
  std::thread from_member;
};

TcpProxy::TcpProxy(std::string target, CounterMaker make_counter)
    : make_counter_(make_counter), target_(std::move(target)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  Check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 16) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::vector<std::unique_ptr<Connection>> connections;
  {
    absl::MutexLock lock(&mu_);
    connections.swap(connections_);
    for (const auto& connection : connections) {
      ::shutdown(connection->client, SHUT_RDWR);
      ::shutdown(connection->member, SHUT_RDWR);
    }
  }
  for (const auto& connection : connections) {
    connection->from_client.join();
    connection->from_member.join();
    ::close(connection->client);
    ::close(connection->member);
  }
}

std::string TcpProxy::endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

void TcpProxy::SetMode(Mode mode) {
  absl::MutexLock lock(&mu_);
  mode_ = mode;
  lost_ = 0;
}

void TcpProxy::AwaitLostAnswer() {
  absl::MutexLock lock(&mu_);
  const auto one_lost = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return lost_ > 0; };
  mu_.Await(absl::Condition(&one_lost));
}

void TcpProxy::AwaitHeldRequest() {
  absl::MutexLock lock(&mu_);
  const auto some_held = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return connection->held_requests > 0; });
  };
  mu_.Await(absl::Condition(&some_held));
}

void TcpProxy::CutClients() {
  absl::MutexLock lock(&mu_);
  for (const auto& connection : connections_) ::shutdown(connection->client, SHUT_RDWR);
}

void TcpProxy::DeliverHeld() {
  absl::MutexLock lock(&mu_);
  for (const auto& connection : connections_) {
    if (connection->held.empty()) continue;
    const int expected = connection->responses->messages() + connection->held_requests;
    WriteAll(connection->member, connection->held.data(), connection->held.size());
    connection->held.clear();
    const auto answered = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return connection->responses->messages() >= expected;
    };
    mu_.Await(absl::Condition(&answered));
  }
}

void TcpProxy::Redirect(std::string target) {
  absl::MutexLock lock(&mu_);
  target_ = std::move(target);
  for (const auto& connection : connections_) {
    ::shutdown(connection->client, SHUT_RDWR);
    ::shutdown(connection->member, SHUT_RDWR);
  }
}

void TcpProxy::Accept() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    absl::MutexLock lock(&mu_);
    const int member = Connect(target_);
    if (member < 0) {
      ::close(client);
      continue;
    }
    auto connection = std::make_unique<Connection>();
    connection->requests = make_counter_(/*is_client=*/true);
    connection->responses = make_counter_(/*is_client=*/false);
    connection->client = client;
    connection->member = member;
    Connection& own = *connection;
    connections_.push_back(std::move(connection));
    own.from_client = std::thread([this, &own] { FromClient(own); });
    own.from_member = std::thread([this, &own] { FromMember(own); });
  }
}

void TcpProxy::FromClient(Connection& connection) {
  char bytes[16384];
  while (true) {
    const ssize_t size = ::recv(connection.client, bytes, sizeof(bytes), 0);
    absl::MutexLock lock(&mu_);
    if (size <= 0) {
      if (!connection.holds) ::shutdown(connection.member, SHUT_WR);
      return;
    }
    const int before = connection.requests->messages();
    connection.requests->Add(bytes, static_cast<size_t>(size));
    if (mode_ == Mode::kHoldRequests) connection.holds = true;
    if (connection.holds) {
      connection.held.append(bytes, static_cast<size_t>(size));
      connection.held_requests += connection.requests->messages() - before;
    } else {
      WriteAll(connection.member, bytes, static_cast<size_t>(size));
    }
  }
}

void TcpProxy::FromMember(Connection& connection) {
  char bytes[16384];
  while (true) {
    const ssize_t size = ::recv(connection.member, bytes, sizeof(bytes), 0);
    absl::MutexLock lock(&mu_);
    if (size <= 0) {
      ::shutdown(connection.client, SHUT_RDWR);
      return;
    }
    const int before = connection.responses->messages();
    connection.responses->Add(bytes, static_cast<size_t>(size));
    if (mode_ == Mode::kLoseAnswers) {
      if (connection.responses->messages() == before) continue;
      ++lost_;
      ::shutdown(connection.client, SHUT_RDWR);
    } else if (!connection.holds) {
      WriteAll(connection.client, bytes, static_cast<size_t>(size));
    }
  }
}

}  // namespace hapax
