#ifndef HAPAX_BASE_LISTENING_SOCKETS_H_
#define HAPAX_BASE_LISTENING_SOCKETS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hapax {

// Sockets that listen on `HOST:PORT`, one for every address that the name resolves to. They do not block.
class ListeningSockets {
 public:
  // Port 0 takes a port that is free on all of them.
  //
  // Errors: UNAVAILABLE, naming the address, when one cannot be listened on: callers of the name would sometimes reach
  // another listener there. An address that is not this machine's, such as ::1 without IPv6, reaches nobody: it is
  // skipped if there are others.
  [[nodiscard]] static absl::StatusOr<ListeningSockets> Open(const std::string& address);

  ListeningSockets() = default;
  ~ListeningSockets() { Close(); }
  ListeningSockets(ListeningSockets&& other) noexcept { *this = std::move(other); }
  ListeningSockets& operator=(ListeningSockets&& other) noexcept;

  // Closes them. Connections that wait to be accepted are reset.
  void Close();

  // Empty once they are closed.
  [[nodiscard]] const std::vector<int>& sockets() const { return sockets_; }
  [[nodiscard]] int port() const { return port_; }
  // The addresses that were skipped, and why.
  [[nodiscard]] const std::vector<std::string>& skipped_addresses() const { return skipped_addresses_; }

 private:
  friend class ListeningAttempt;

  std::vector<int> sockets_;
  std::vector<std::string> skipped_addresses_;
  int port_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_BASE_LISTENING_SOCKETS_H_
