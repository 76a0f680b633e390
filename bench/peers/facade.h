// The gRPC service in front of a peer's database, as a team would write it to store its tokens there.
#ifndef HAPAX_BENCH_PEERS_FACADE_H_
#define HAPAX_BENCH_PEERS_FACADE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "grpcpp/grpcpp.h"
#include "hapax/bench/figure.h"

namespace hapax::bench {

// A change to make if its token is new.
struct Change {
  Mutation mutation;
  std::string token;
  std::string id;      // Newly made, of the instance or the posting.
  std::string effect;  // The row of the effect: the launch's reply, or the serialized Posting.
  std::string reply;   // The serialized response, which names the id.

  // What kind of row the effect is.
  [[nodiscard]] std::string_view kind() const { return mutation == Mutation::kPost ? "posting" : "instance"; }
};

// Answers one call, once, from any thread: with OK and the bytes of the reply, or with an error.
using Done = absl::AnyInvocable<void(const grpc::Status& status, std::string_view reply)>;

// The store of tokens and effects. Thread-safety: safe.
class Backend {
 public:
  virtual ~Backend() = default;

  // If the token is new, stores effect and record and then calls `done` with the change's own reply. Otherwise calls it
  // with the recorded reply. Does not block: the caller is a gRPC event thread.
  virtual void RunOnce(Change change, Done done) = 0;
};

// Serves RunInstances and Post on --listen_address over gRPC's callback API until SIGTERM, and returns the exit code.
// `name` begins the line that prints the address. `make_backend` is called once signals are blocked, so it may start
// threads. If its database cannot be reached, it prints why to stderr and returns null.
int Serve(std::string_view name, absl::AnyInvocable<std::unique_ptr<Backend>()> make_backend);

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_FACADE_H_
