#ifndef HAPAX_BENCH_HTTP_LOAD_H_
#define HAPAX_BENCH_HTTP_LOAD_H_

#include <deque>
#include <string>

#include "absl/status/status.h"
#include "hapax/bench/load_client.h"

namespace hapax::bench {

// Sends HTTP/1.1 requests. Each call in flight has a keep-alive connection of its own. A response other than 2xx, or a
// broken connection, is a failed call.
class HttpLoad final : public LoadClient {
 public:
  // HOST:PORT with an IPv4 address. `connections` is the most calls in flight.
  HttpLoad(std::string host_and_port, int connections);
  ~HttpLoad() override;

  absl::Status Connect() override;

  Recorder Run(const LoadPlan& plan, Requests& requests) override;

 private:
  struct Connection;
  class Loop;

  const std::string host_and_port_;
  // Not movable, since the loop points to them.
  std::deque<Connection> connections_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_HTTP_LOAD_H_
