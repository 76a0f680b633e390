#ifndef HAPAX_INTERCEPTORS_LIMITS_RECEPTION_H_
#define HAPAX_INTERCEPTORS_LIMITS_RECEPTION_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Has the request of an admitted call read, once there is room for the longest request. Earlier links see only the
// call's metadata; the next link is Weighing.
class Reception final : public UnaryInterceptor {
 public:
  explicit Reception(const MessageBudget::Options& options) : budget_(options) {}
  void Intercept(UnaryCall& call, Next next) override;

  [[nodiscard]] MessageBudget& budget() { return budget_; }

 private:
  MessageBudget budget_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_LIMITS_RECEPTION_H_
