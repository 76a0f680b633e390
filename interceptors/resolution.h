#ifndef HAPAX_INTERCEPTORS_RESOLUTION_H_
#define HAPAX_INTERCEPTORS_RESOLUTION_H_

#include <string>
#include <utility>

#include "hapax/base/clock.h"
#include "hapax/interceptors/interceptor.h"

namespace hapax {

// Fills in the call's context: the principal and the time. By the method's rule also the client token (C1, C2) and the
// place (C4). Requires: the request is decoded.
//
// Errors: those of ClientTokenOf and Rule::ResolvePlace.
class Resolution final : public UnaryInterceptor {
 public:
  struct Options {
    // The region of a call that neither names nor implies one.
    std::string default_region;
    // The same as in CallContext.
    std::string page_token_key;
  };

  // `clock` outlives it.
  Resolution(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  [[nodiscard]] absl::Status Resolve(UnaryCall& call) const;

  const Options options_;
  const Clock& clock_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_RESOLUTION_H_
