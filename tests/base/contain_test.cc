#include "hapax/base/contain.h"

#include <pthread.h>

#include <atomic>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using ::testing::HasSubstr;

TEST(ContainTest, WhatIsReturnedIsHandedOn) {
  EXPECT_EQ(Contain("a handler", [] { return absl::NotFoundError("no account"); }), absl::NotFoundError("no account"));
  EXPECT_EQ(Contain("a handler", [] { return absl::OkStatus(); }), absl::OkStatus());

  bool called = false;
  EXPECT_EQ(Contain("a hook", [&] { called = true; }), absl::OkStatus());
  EXPECT_TRUE(called);

  absl::StatusOr<std::unique_ptr<int>> value =
      Contain("a handler", []() -> absl::StatusOr<std::unique_ptr<int>> { return std::make_unique<int>(7); });
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(**value, 7);
}

TEST(ContainTest, AStandardExceptionIsInternalWithItsTypeAndText) {
  EXPECT_EQ(Contain("the handler of Charge", []() -> absl::Status { throw std::out_of_range("no such account"); }),
            absl::InternalError("the handler of Charge threw std::out_of_range: no such account"));
  EXPECT_EQ(Contain("a hook", [] { throw std::runtime_error("why"); }),
            absl::InternalError("a hook threw std::runtime_error: why"));
  const absl::StatusOr<int> value = Contain("a resolver", []() -> absl::StatusOr<int> { throw std::bad_alloc(); });
  EXPECT_EQ(value.status(), absl::InternalError("a resolver threw std::bad_alloc: std::bad_alloc"));
}

struct Odd {};

TEST(ContainTest, AnythingElseIsInternalWithItsType) {
  EXPECT_EQ(Contain("a handler", [] { throw 7; }), absl::InternalError("a handler threw int"));
  const absl::Status odd = Contain("a handler", [] { throw Odd(); });
  EXPECT_EQ(odd.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(odd.message()), HasSubstr("Odd"));
}

class Untold : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

TEST(ContainTest, AnExceptionWithoutATextIsContained) {
  const absl::Status untold = Contain("a handler", [] { throw Untold(); });
  EXPECT_THAT(std::string(untold.message()), HasSubstr("Untold: "));
}

struct Unwinding {
  std::atomic<bool> unwound = false;
  std::atomic<bool> went_on = false;
};

struct NoteUnwinding {
  ~NoteUnwinding() { seen.unwound = true; }
  Unwinding& seen;
};

void* EndThread(void* argument) {
  auto& seen = *static_cast<Unwinding*>(argument);
  std::ignore = Contain("a handler", [&] {
    const NoteUnwinding note{seen};
    pthread_exit(nullptr);  // Unwinds as a cancellation does.
  });
  seen.went_on = true;
  return nullptr;
}

TEST(ContainTest, AThreadThatIsCancelledUnwinds) {
  Unwinding seen;
  pthread_t thread = {};
  ASSERT_EQ(pthread_create(&thread, nullptr, EndThread, &seen), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_TRUE(seen.unwound);
  EXPECT_FALSE(seen.went_on);
}

}  // namespace
}  // namespace hapax
