#include "hapax/client/hapaxctl/output/json.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/proto/public_name.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ToJson, AnAnyHasTheNameThatOthersKnowItsTypeBy) {
  external::longrunning::Operation operation;
  external::rpc::ErrorInfo info;
  info.set_reason("INSUFFICIENT_CAPACITY");
  Pack(info, *operation.mutable_error()->add_details());
  const absl::StatusOr<std::string> json = ToJson(operation);
  ASSERT_THAT(json, IsOk());
  EXPECT_THAT(*json, HasSubstr(R"("@type": "type.googleapis.com/google.rpc.ErrorInfo")"));
  EXPECT_THAT(*json, HasSubstr(R"("reason": "INSUFFICIENT_CAPACITY")"));
  EXPECT_THAT(*json, Not(HasSubstr("external")));
}

}  // namespace
}  // namespace hapax::ctl
