#ifndef HAPAX_TESTS_SERVER_SUPPORT_OPEN_SERVER_H_
#define HAPAX_TESTS_SERVER_SUPPORT_OPEN_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hapax/server/server.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {

// Options of a server on a free port of the loopback address, which logs nothing.
[[nodiscard]] inline ServerOptions QuietOptions(std::string data_dir) {
  return {.listen_address = "127.0.0.1:0", .data_dir = std::move(data_dir), .log_level = spdlog::level::off};
}

// A server with these options, which hosts these services.
[[nodiscard]] inline std::unique_ptr<Server> StartedServer(ServerOptions options,
                                                           std::vector<HostedService*> services = {}) {
  std::unique_ptr<Server> server = Server::Open(std::move(options)).value();
  EXPECT_THAT(server->Start(std::move(services)), IsOk());
  return server;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SERVER_SUPPORT_OPEN_SERVER_H_
