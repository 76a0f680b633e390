#ifndef HAPAX_SERVER_GRPC_CORKS_H_
#define HAPAX_SERVER_GRPC_CORKS_H_

#include "absl/container/flat_hash_set.h"

namespace hapax {

// TCP connections that hold back segments that are not full, so that replies which are made together travel together:
// one packet and one wake-up of the client in place of one for each.
//
//   corks.Add(connection);  // Before each reply.
//   corks.Release();        // Before the thread waits. What was held back leaves.
//
// TCP_CORK (tcp(7)) is a property of the connection. Of two threads that cork it, the first release ends it.
//
// Made for speed; docs/benchmarks.md tells what it makes. Thread-safety: for one thread.
class Corks {
 public:
  // Corks the connection with this descriptor, unless it is. One that is closed meanwhile does no harm.
  void Add(int descriptor);
  void Release();
  [[nodiscard]] bool empty() const { return corked_.empty(); }

 private:
  absl::flat_hash_set<int> corked_;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_CORKS_H_
