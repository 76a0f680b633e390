#ifndef HAPAX_INTERCEPTORS_LIMITS_RECEPTION_H_
#define HAPAX_INTERCEPTORS_LIMITS_RECEPTION_H_

#include "hapax/interceptors/interceptor.h"
#include "hapax/interceptors/message_budget.h"

namespace hapax {

// Has the request read, of a call whose caller is known and admitted, once there is room for the longest one. The links
// before it see the call's metadata alone; the next is Weighing.
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
