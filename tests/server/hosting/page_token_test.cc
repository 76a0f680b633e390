#include <string>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/server/hosting/listing.h"
#include "hapax/tests/server/support/host_list_fixture.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PageTokenTest : public ListRowsTest {
 protected:
  PageTokenTest() {
    PutMany(4);
    request_.set_region("us-east-1");
    request_.set_page_size(2);
    token_ = List(request_)->next_page_token;
    request_.set_page_token(token_);
  }

  v1::DescribeHostsRequest request_;  // For the second page.
  std::string token_;
};

TEST_F(PageTokenTest, OfTheSameQueryGivesTheNextPage) {
  const auto page = List(request_);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, ElementsAre(Name(2), Name(3)));
}

TEST_F(PageTokenTest, OfAnotherQueryIsRefused) {
  v1::DescribeHostsRequest other = request_;
  other.set_region("eu-west-1");
  EXPECT_THAT(List(other), Refuses(Reason::kInvalidParameter, "page_token", HasSubstr("next_page_token")));
  other = request_;
  other.add_host_ids("h-1");
  EXPECT_THAT(List(other), Refuses(Reason::kInvalidParameter, "page_token"));
}

TEST_F(PageTokenTest, OfAnotherMethodIsRefused) {
  v1::DescribeSubnetsRequest other;
  other.set_region("us-east-1");
  other.set_page_token(token_);
  EXPECT_THAT(Page::Of(other, key_), Refuses(Reason::kInvalidParameter, "page_token"));
}

TEST_F(PageTokenTest, ThatIsNoneIsRefused) {
  for (const std::string& token :
       {std::string("x"), std::string("not base64!"), std::string("AAAAAAAAAAAAAAAA"), token_.substr(0, 4),
        token_.substr(0, 11), token_ + "!", std::string(100'000, 'A')}) {
    request_.set_page_token(token);
    EXPECT_THAT(List(request_), Refuses(Reason::kInvalidParameter, "page_token")) << token;
  }
}

// An edit may at most be another way to write the same token.
TEST_F(PageTokenTest, ThatIsEditedIsRefused) {
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token_, &bytes));
  for (size_t i = 0; i < token_.size(); ++i) {
    std::string edited = token_;
    edited[i] = edited[i] == 'A' ? 'B' : 'A';
    std::string edited_bytes;
    if (absl::WebSafeBase64Unescape(edited, &edited_bytes) && edited_bytes == bytes) continue;
    request_.set_page_token(edited);
    EXPECT_THAT(List(request_), Refuses(Reason::kInvalidParameter, "page_token")) << "character " << i;
  }
}

// Whoever knows how a token is made does not know what it is made with.
TEST_F(PageTokenTest, C4_MadeWithAnotherKeyIsRefused) {
  for (const char* key : {"", "another key"}) {
    key_ = key;
    EXPECT_THAT(List(request_), Refuses(Reason::kInvalidParameter, "page_token")) << key;
  }
}

// Tenants may ask the same query.
TEST_F(PageTokenTest, C4_OfAnotherTenantIsRefused) {
  Change([](Transaction& txn) {
    Put(txn, "h-zzz", "another");
    Put(txn, "h-000", "another");
  });
  EXPECT_THAT(List(request_, nullptr, "another"), Refuses(Reason::kInvalidParameter, "page_token"));
}

}  // namespace
}  // namespace hapax::compute
