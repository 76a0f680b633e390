#ifndef HAPAX_TESTS_CLIENT_CALL_SIMULATED_ENDPOINTS_H_
#define HAPAX_TESTS_CLIENT_CALL_SIMULATED_ENDPOINTS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hapax/client/wire/endpoint_connection.h"
#include "hapax/client/wire/failover_connection.h"
#include "hapax/tests/client/call/simulated_network.h"

namespace hapax::client {

// An endpoint whose attempts end as the test says.
class ScriptedEndpoint final : public EndpointConnection {
 public:
  ScriptedEndpoint(SimulatedTiming& timing, const std::string& name) : script(timing), timing_(timing) {
    script.where = {.endpoint = name, .caller = "tenant t"};
  }
  // A cancelled attempt ends as CANCELLED, as gRPC has it.
  Cancel Start(Attempt attempt, Done done) override {
    const auto open = std::make_shared<Done>(std::move(done));
    Cancel cancel = script.Start(std::move(attempt), [open](AttemptEnd end) { End(*open, std::move(end)); });
    return [this, open, cancel = std::move(cancel)]() mutable {
      cancel();
      timing_.Have(timing_.Now(), [open] { End(*open, Lost(absl::StatusCode::kCancelled)); });
    };
  }
  [[nodiscard]] Destination destination() const override { return script.destination(); }
  [[nodiscard]] bool IsConnected() override { return connected; }

  ScriptedConnection script;
  bool connected = true;

 private:
  static void End(Done& open, AttemptEnd end) {
    if (Done done = std::exchange(open, nullptr)) std::move(done)(std::move(end));
  }

  SimulatedTiming& timing_;
};

// The endpoints a:1, b:1 and c:1 of one connection, in simulated time. Home is a.
struct SimulatedEndpoints {
  explicit SimulatedEndpoints(SimulatedTiming& timing)
      : a(std::make_shared<ScriptedEndpoint>(timing, "a:1")),
        b(std::make_shared<ScriptedEndpoint>(timing, "b:1")),
        c(std::make_shared<ScriptedEndpoint>(timing, "c:1")),
        connection(std::make_shared<FailoverConnection>(std::vector<std::shared_ptr<EndpointConnection>>{a, b, c},
                                                        std::vector<size_t>{0, 1, 2},
                                                        [&timing] { return timing.Now() - absl::UnixEpoch(); })) {}

  const std::shared_ptr<ScriptedEndpoint> a;
  const std::shared_ptr<ScriptedEndpoint> b;
  const std::shared_ptr<ScriptedEndpoint> c;
  const std::shared_ptr<FailoverConnection> connection;
};

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_CALL_SIMULATED_ENDPOINTS_H_
