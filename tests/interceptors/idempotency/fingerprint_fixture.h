#ifndef HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_FIXTURE_H_
#define HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/interceptors/method.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {

// Fields of a PlaceOrderRequest on the wire.
inline const std::string kToken = LengthDelimited(1, "token");
inline const std::string kRegion = LengthDelimited(2, "east");
inline const std::string kItem = LengthDelimited(4, "pencil");
inline const std::string kQuantity = VarintField(5, 2);
inline const std::string kUnknown = VarintField(100, 7);

// Fingerprints of PlaceOrderRequests, given as their bytes.
class FingerprintTest : public testing::Test {
 protected:
  using Request = tests::v1::PlaceOrderRequest;
  using Fingerprint = store::v1::Fingerprint;

  static Request Parsed(const std::string& wire) {
    Request request;
    EXPECT_TRUE(request.ParseFromString(wire));
    return request;
  }

  Fingerprint Make(const std::string& wire) { return MakeFingerprint(method_, Parsed(wire), wire); }

  // The fields in which a request in the bytes `now` differs from an earlier one in the bytes `then`.
  absl::StatusOr<std::vector<std::string>> Differing(const std::string& then, const std::string& now) {
    return Differing(Make(then), now);
  }
  absl::StatusOr<std::vector<std::string>> Differing(const Fingerprint& then, const std::string& now) {
    return DifferingFields(then, method_, Parsed(now), now);
  }

  Method method_ = MakeMethod(MethodOf<Request>("Orders", "PlaceOrder"));
};

inline auto AreTheSame() { return IsOkAndHolds(testing::IsEmpty()); }

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_IDEMPOTENCY_FINGERPRINT_FIXTURE_H_
