// The gRPC service in front of a peer's database: what a team writes by hand that keeps its tokens there.
#ifndef HAPAX_BENCH_PEERS_FACADE_H_
#define HAPAX_BENCH_PEERS_FACADE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "grpcpp/grpcpp.h"

namespace hapax::bench {

// A launch that was asked for, as it is to be carried out if its token is new.
struct Launch {
  std::string token;
  std::string instance_id;  // A new one.
  std::string reply;        // The serialized RunInstancesResponse that names the instance.
};

// Answers one call, once: with OK and the bytes of the reply to send, or with an error. Any thread.
using Done = absl::AnyInvocable<void(const grpc::Status& status, std::string_view reply)>;

// Where tokens and effects are kept. Thread-safety: thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  // Calls `done` with the launch's own reply after effect and record are stored, if its token is new; with the reply
  // on record if it is not. Does not block: the caller is one of gRPC's event threads.
  virtual void RunOnce(Launch launch, Done done) = 0;
};

// Serves RunInstances on --listen_address over gRPC's callback API until SIGTERM, and returns the exit code.
// `name` begins the line that tells the address. `make_backend` is called once signals are blocked, so that it may
// start threads; it returns null, having said why on stderr, when its database cannot be reached.
int Serve(std::string_view name, absl::AnyInvocable<std::unique_ptr<Backend>()> make_backend);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_FACADE_H_
