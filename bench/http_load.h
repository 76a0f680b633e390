#ifndef HAPAX_BENCH_HTTP_LOAD_H_
#define HAPAX_BENCH_HTTP_LOAD_H_

#include <deque>
#include <string>

#include "absl/status/status.h"
#include "hapax/bench/load_client.h"

namespace hapax::bench {

// Sends requests of HTTP/1.1, each call in flight on a connection of its own that is kept alive. A response that is
// not 2xx, and a connection that breaks, is a failed call.
class HttpLoad final : public LoadClient {
 public:
  // HOST:PORT, the host as an IPv4 address. So many calls at most can be in flight.
  HttpLoad(std::string host_and_port, int connections);
  ~HttpLoad() override;

  absl::Status Connect() override;

  Recorder Run(const LoadPlan& plan, Requests& requests) override;

 private:
  struct Connection;
  class Loop;

  const std::string host_and_port_;
  // Not movable: the loop points to them.
  std::deque<Connection> connections_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_HTTP_LOAD_H_
