#ifndef HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_
#define HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Gives back to the budget what Reception took for the longest request, less what the request takes: for a large one
// until its call ends.
class Weighing final : public UnaryInterceptor {
 public:
  // `budget` is Reception's, and outlives it.
  explicit Weighing(MessageBudget& budget) : budget_(budget) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  MessageBudget& budget_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_WEIGHING_H_
