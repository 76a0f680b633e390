#ifndef HAPAX_SERVER_HTTP_HTTP_HOST_H_
#define HAPAX_SERVER_HTTP_HTTP_HOST_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/server/http/door.h"
#include "hapax/server/http/http_tls.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// A server of HTTP/1.1 that gives each request to a door.
//
// Guarantees: a reply has a Content-Length, is never chunked, and is sent as a whole or not at all, unless the client
// does not take it. A request that is not strictly HTTP/1.1 gets an error, and its connection ends: what the rest of
// its bytes means is not sure. Requests of a connection are served one after the other.
//
// Limits, of ConnectionLimits:
//   max_connections        one more is accepted in place of the one that is idle longest, strangers first, and else
//                          closed at once. A stranger's connection has had no reply but errors
//   max_message_bytes      of a body: 413. Headers and target have kMaxHeaderBytes together: 431
//   max_connection_bytes   of all bodies that arrive and replies that are sent: 503
//   handshake_timeout      also for the first byte after it
//   request_timeout        for all bytes of a request: 408. Also between two parts of a reply that the client takes
//   max_connection_idle    between requests
//
// Thread-safety: Start and Drain on one thread. Requests run on its event threads.
// Lifetime: the doors and everything that they use outlive it.
class HttpHost {
 public:
  static constexpr size_t kMaxHeaderBytes = size_t{16} << 10;

  struct Options {
    // `HOST:PORT`; port 0 takes a free one.
    std::string listen_address;
    // Threads that serve connections; 0: half the number of cores, but at least one.
    int event_threads = 0;
    // Null: connections are not encrypted. Outlives the host.
    const HttpTls* tls = nullptr;
    ConnectionLimits limits;
  };

  // Errors: UNAVAILABLE, the address cannot be listened on.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HttpHost>> Start(Options options, std::vector<const Door*> doors,
                                                                       DoorCalls& calls);

  // Ends the requests that Drain left, and waits for their doors.
  ~HttpHost();
  HttpHost(const HttpHost&) = delete;
  HttpHost& operator=(const HttpHost&) = delete;

  // The port it listens on.
  [[nodiscard]] int port() const { return port_; }
  // Addresses of the host's name that are not this machine's; nobody listens there.
  [[nodiscard]] const std::vector<std::string>& skipped_addresses() const;

  // Accepts no more connections and requests, and waits for running requests for at most `grace`; then ends their
  // connections.
  void Drain(absl::Duration grace);

 private:
  class State;

  explicit HttpHost(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
  int port_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_HTTP_HOST_H_
