#include "hapax/base/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

constexpr int kBacklog = 1024;
constexpr int kPortAttempts = 100;

// The addresses that a name resolves to; null if there are none.
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

std::string Name(const addrinfo& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const int failed = getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof(host), port, sizeof(port),
                                 NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return "an address";
  return address.ai_family == AF_INET6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

// /etc/hosts may give a name the same address twice.
bool IsFirstOfItsKind(const addrinfo* addresses, const addrinfo& one) {
  for (const addrinfo* other = addresses; other != &one; other = other->ai_next) {
    if (other->ai_addrlen == one.ai_addrlen && std::memcmp(other->ai_addr, one.ai_addr, one.ai_addrlen) == 0)
      return false;
  }
  return true;
}

// Returns a socket that listens on the address, or -1 with errno.
int ListenOn(const addrinfo& address) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int yes = 1;
  const int no = 0;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));  // Connections inherit it.
  if (address.ai_family == AF_INET6) setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (bind(socket, address.ai_addr, address.ai_addrlen) == 0 && listen(socket, kBacklog) == 0) return socket;
  const int error = errno;
  close(socket);
  errno = error;
  return -1;
}

}  // namespace

// One try to listen on all addresses of a name.
class ListeningAttempt {
 public:
  // kPortTaken: the port chosen on the first is taken on another.
  enum class End { kDone, kPortTaken, kFailed };

  End Make(const addrinfo* addresses) {
    for (const addrinfo* one = addresses; one != nullptr; one = one->ai_next) {
      if (!IsFirstOfItsKind(addresses, *one)) continue;
      sockaddr_storage wanted{};
      std::memcpy(&wanted, one->ai_addr, one->ai_addrlen);
      const bool any_port = PortOf(reinterpret_cast<sockaddr*>(&wanted)) == 0;
      addrinfo there = *one;
      there.ai_addr = reinterpret_cast<sockaddr*>(&wanted);
      // All addresses of a name get the same port.
      if (any_port) PortOf(there.ai_addr) = htons(static_cast<uint16_t>(made_.port_));
      const int socket = ListenOn(there);
      if (socket < 0) {
        const int error = errno;
        problem_ = absl::StrCat(Name(there), ": ", std::strerror(error));
        if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) {
          made_.skipped_addresses_.push_back(problem_);
          continue;
        }
        return error == EADDRINUSE && any_port && made_.port_ != 0 ? End::kPortTaken : End::kFailed;
      }
      made_.sockets_.push_back(socket);
      socklen_t size = sizeof(wanted);
      getsockname(socket, there.ai_addr, &size);
      made_.port_ = ntohs(PortOf(there.ai_addr));
    }
    return made_.sockets_.empty() ? End::kFailed : End::kDone;
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }
  ListeningSockets Take() { return std::move(made_); }

 private:
  ListeningSockets made_;
  std::string problem_;
};

absl::StatusOr<ListeningSockets> ListeningSockets::Open(const std::string& address) {
  addrinfo* const addresses = Resolve(address);
  const absl::Cleanup free_addresses = [addresses] {
    if (addresses != nullptr) freeaddrinfo(addresses);
  };
  std::string problem = "it is no HOST:PORT of this machine";
  // A port that is free on the first address may be taken on another.
  for (int tries = 0; addresses != nullptr && tries < kPortAttempts; ++tries) {
    ListeningAttempt attempt;
    const ListeningAttempt::End end = attempt.Make(addresses);
    if (end == ListeningAttempt::End::kDone) return attempt.Take();
    problem = attempt.problem();
    if (end == ListeningAttempt::End::kFailed) break;
  }
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", problem));
}

ListeningSockets& ListeningSockets::operator=(ListeningSockets&& other) noexcept {
  Close();
  sockets_ = std::exchange(other.sockets_, {});
  skipped_addresses_ = std::move(other.skipped_addresses_);
  port_ = std::exchange(other.port_, 0);
  return *this;
}

void ListeningSockets::Close() {
  for (const int socket : sockets_) close(socket);
  sockets_.clear();
  port_ = 0;
}

}  // namespace hapax
