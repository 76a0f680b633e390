#ifndef HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_
#define HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Replaces the bytes that Reception reserved for the longest request by those of the actual request. A large request
// counts until its call ends.
class Weighing final : public UnaryInterceptor {
 public:
  // `budget` is Reception's; it outlives this link.
  explicit Weighing(MessageBudget& budget) : budget_(budget) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  MessageBudget& budget_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_
