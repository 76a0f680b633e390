#include "hapax/server/doors/openstack/replies.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

namespace hapax::openstack {
namespace {

struct Expected {
  Reason reason;
  std::string result;
};

TEST(ErrorReply, EachReasonHasAStatusAndSaysWhatToDo) {
  const Expected expected[] = {
      {Reason::kInvalidClientToken, "400 badRequest"},
      {Reason::kClientTokenConflict, "400 badRequest"},
      {Reason::kIdempotentParameterMismatch, "409 conflictingRequest"},
      {Reason::kClientTokenExpired, "409 conflictingRequest"},
      {Reason::kClientTokenAbandoned, "409 conflictingRequest"},
      {Reason::kTokenStoreUnavailable, "503 serviceUnavailable"},
      {Reason::kTokenRecordCorrupt, "500 computeFault"},
      {Reason::kOverloaded, "429 overLimit"},
      {Reason::kUnauthenticated, "401 unauthorized"},
      {Reason::kPermissionDenied, "403 forbidden"},
      {Reason::kInvalidParameter, "400 badRequest"},
      {Reason::kUnknownRegion, "400 badRequest"},
      {Reason::kUnknownAvailabilityZone, "400 badRequest"},
      {Reason::kZoneSubnetConflict, "400 badRequest"},
      {Reason::kImageNotFound, "400 badRequest"},
      {Reason::kSubnetNotFound, "400 badRequest"},
      {Reason::kKeypairNotFound, "400 badRequest"},
      {Reason::kHostNotFound, "404 itemNotFound"},
      {Reason::kInstanceNotFound, "404 itemNotFound"},
      {Reason::kOperationNotFound, "404 itemNotFound"},
      {Reason::kKeypairAlreadyExists, "409 conflictingRequest"},
      {Reason::kIncorrectInstanceState, "409 conflictingRequest"},
      {Reason::kInsufficientInstanceCapacity, "503 serviceUnavailable"},
      {Reason::kQuotaExceeded, "403 forbidden"},
      {Reason::kDeadlineExceeded, "503 serviceUnavailable"},
      {Reason::kCancelled, "503 serviceUnavailable"},
      {Reason::kUnimplemented, "404 itemNotFound"},
      {Reason::kInternal, "500 computeFault"},
  };
  ASSERT_EQ(std::size(expected), AllReasons().size());
  for (const auto& [reason, result] : expected) {
    const NovaReply reply{.http = ErrorReply(Refuse(reason, "why"))};
    EXPECT_EQ(reply.Result(), result);
    EXPECT_EQ(reply.Header("hapax-retry"), std::string(WireName(InfoOf(reason).verdict)));
    EXPECT_EQ(reply.Header("Retry-After").empty(), reply.http.status != 429 && reply.http.status != 503);
    EXPECT_EQ(reply.http.content_type, "application/json");
  }
}

TEST(ErrorReply, FieldsHaveTheirNamesInNova) {
  const auto message = [](const absl::Status& error) {
    return NovaReply{.http = ErrorReply(error)}.At("badRequest.message");
  };
  EXPECT_EQ(message(RefuseParameter("instance_type", "one of a, b")), "flavorRef: one of a, b");
  EXPECT_EQ(message(RefuseParameter("placement.availability_zone", "x")), "availability_zone: x");
  EXPECT_EQ(message(RefuseParameter("tagset", "x")), "tagset: x");
}

TEST(EmptyReply, NoTwoHaveTheSameId) {
  const NovaReply reply{.http = EmptyReply(204)};
  EXPECT_EQ(reply.Header("x-openstack-request-id").size(), std::string("req-").size() + 36);
  EXPECT_NE(reply.Header("x-openstack-request-id"),
            NovaReply{.http = EmptyReply(204)}.Header("x-openstack-request-id"));
  EXPECT_EQ(reply.Header("OpenStack-API-Version"), "compute 2.1");
}

}  // namespace
}  // namespace hapax::openstack
