#include "hapax/storage/etcd/messages.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

// Answers that are not what was asked for.
namespace hapax {
namespace {

using absl::StatusCode;

const RemoteFetch kScan = {.scans = {{.table = Table::kTokens}}};

TEST(EtcdMessagesTest, ARowThatIsNotOfTheScannedTableIsAnError) {
  const EtcdLayout layout("/hapax");
  for (const std::string key : {"", "/hapax/row/token", "/hapax/row/work/key", "/other/row/tokens/key"}) {
    etcd::v3::TxnResponse response;
    response.add_responses()->mutable_response_range()->add_kvs()->set_key(key);
    EXPECT_THAT(FetchedOf(layout, kScan, response), StatusIs(StatusCode::kInternal)) << key;
  }
  etcd::v3::TxnResponse response;
  response.add_responses()->mutable_response_range()->add_kvs()->set_key("/hapax/row/tokens/key");
  const auto fetched = FetchedOf(layout, kScan, response);
  ASSERT_THAT(fetched, IsOk());
  EXPECT_EQ(fetched->scans[0].rows[0].key, "key");
}

TEST(EtcdMessagesTest, AnAnswerWithTooFewResponsesOrOnesOfAnotherKindIsAnError) {
  const EtcdLayout layout("/hapax");
  const RemoteFetch get{.keys = {{.table = Table::kTokens, .key = "key"}}};
  for (const RemoteFetch& fetch : {kScan, get}) {
    etcd::v3::TxnResponse response;
    EXPECT_THAT(FetchedOf(layout, fetch, response), StatusIs(StatusCode::kInternal));
    response.add_responses()->mutable_response_put();
    EXPECT_THAT(FetchedOf(layout, fetch, response), StatusIs(StatusCode::kInternal));
  }
}

}  // namespace
}  // namespace hapax
