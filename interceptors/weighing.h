#ifndef HAPAX_INTERCEPTORS_WEIGHING_H_
#define HAPAX_INTERCEPTORS_WEIGHING_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/request_budget.h"

namespace hapax {

// Gives back to the budget what Reception took for the longest request, less what the request takes: for a large one
// until its call ends.
//
// Those that have their requests go on in turns of their tenants: what comes after costs more than all before, so a
// long backlog of one tenant delays another's call by at most one of its own at a time.
class Weighing final : public UnaryInterceptor {
 public:
  // `budget` is Reception's, and outlives it.
  explicit Weighing(RequestBudget& budget) : budget_(budget) {}
  void Intercept(UnaryCall& call, Next next) override;

 private:
  RequestBudget& budget_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_WEIGHING_H_
