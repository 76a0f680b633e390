#ifndef HAPAX_INTERCEPTORS_INTERCEPTOR_H_
#define HAPAX_INTERCEPTORS_INTERCEPTOR_H_

#include <memory>
#include <utility>
#include <vector>

#include "hapax/interceptors/call.h"

namespace hapax {

class UnaryInterceptor;

// The rest of the chain. Cheap to copy; valid as long as the chain is.
class Next {
 public:
  explicit Next(const std::unique_ptr<UnaryInterceptor>* interceptor) : interceptor_(interceptor) {}
  void operator()(UnaryCall& call) const;

 private:
  const std::unique_ptr<UnaryInterceptor>* interceptor_;
};

// A link of the chain around the handlers, like gRPC-Go's UnaryServerInterceptor. It passes the call on with `next`,
// now or later, or ends it with call.Finish. The last link always ends it.
//
// Thread-safety: safe. Intercept runs on one of the few event threads, so it must not block.
class UnaryInterceptor {
 public:
  virtual ~UnaryInterceptor() = default;
  virtual void Intercept(UnaryCall& call, Next next) = 0;
};

// The interceptors in order, outermost first.
class Chain {
 public:
  // Requires: `links` is not empty.
  explicit Chain(std::vector<std::unique_ptr<UnaryInterceptor>> links) : links_(std::move(links)) {}

  // Runs the call through the chain to its end.
  void Run(UnaryCall& call) const { Next(links_.data())(call); }

 private:
  const std::vector<std::unique_ptr<UnaryInterceptor>> links_;
};

inline void Next::operator()(UnaryCall& call) const { (*interceptor_)->Intercept(call, Next(interceptor_ + 1)); }

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_INTERCEPTOR_H_
