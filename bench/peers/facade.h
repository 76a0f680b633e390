// The gRPC service in front of a peer's database, as a team would write it to store its tokens there.
#ifndef HAPAX_BENCH_PEERS_FACADE_H_
#define HAPAX_BENCH_PEERS_FACADE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "grpcpp/grpcpp.h"

namespace hapax::bench {

// A launch to carry out if its token is new.
struct Launch {
  std::string token;
  std::string instance_id;  // Newly made.
  std::string reply;        // The serialized RunInstancesResponse that names the instance.
};

// Answers one call, once, from any thread: with OK and the bytes of the reply, or with an error.
using Done = absl::AnyInvocable<void(const grpc::Status& status, std::string_view reply)>;

// The store of tokens and effects. Thread-safety: safe.
class Backend {
 public:
  virtual ~Backend() = default;

  // If the token is new, stores effect and record and then calls `done` with the launch's own reply. Otherwise calls it
  // with the recorded reply. Does not block: the caller is a gRPC event thread.
  virtual void RunOnce(Launch launch, Done done) = 0;
};

// Serves RunInstances on --listen_address over gRPC's callback API until SIGTERM, and returns the exit code. `name`
// begins the line that prints the address. `make_backend` is called once signals are blocked, so it may start threads.
// If its database cannot be reached, it prints why to stderr and returns null.
int Serve(std::string_view name, absl::AnyInvocable<std::unique_ptr<Backend>()> make_backend);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_FACADE_H_
