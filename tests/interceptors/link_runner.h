#ifndef HAPAX_TESTS_INTERCEPTORS_LINK_RUNNER_H_
#define HAPAX_TESTS_INTERCEPTORS_LINK_RUNNER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hapax/interceptors/interceptor.h"
#include "hapax/tests/support/fake_call.h"

namespace hapax {

// One interceptor by itself, before a last link that keeps the calls it gets and leaves them open.
//
//   LinkRunner<Decoding> decoding;
//   EXPECT_EQ(decoding.Run(call), "passed on");
template <typename Link>
class LinkRunner {
 public:
  template <typename... Arguments>
  explicit LinkRunner(Arguments&&... arguments)
      : chain_(MakeLinks(std::make_unique<Link>(std::forward<Arguments>(arguments)...))) {}

  // `passed on`, or when the link ended the call, its Result.
  [[nodiscard]] std::string Run(FakeCall& call) {
    passed_on_ = nullptr;
    chain_.Run(call);
    if (call.ended()) return call.Result();
    return PassedOn(call) ? "passed on" : "lost";
  }
  // Whether the call that was run last has reached the last link.
  [[nodiscard]] bool PassedOn(const FakeCall& call) const { return passed_on_ == &call; }

 private:
  class Last final : public UnaryInterceptor {
   public:
    explicit Last(const UnaryCall** passed_on) : passed_on_(passed_on) {}
    void Intercept(UnaryCall& call, Next /*next*/) override { *passed_on_ = &call; }

   private:
    const UnaryCall** const passed_on_;
  };

  std::vector<std::unique_ptr<UnaryInterceptor>> MakeLinks(std::unique_ptr<Link> link) {
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    links.push_back(std::move(link));
    links.push_back(std::make_unique<Last>(&passed_on_));
    return links;
  }

  const UnaryCall* passed_on_ = nullptr;
  const Chain chain_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_LINK_RUNNER_H_
