#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/tokens_fixture.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// ListTokens (C28).
namespace hapax {
namespace {

using idempotency::v1::ListTokensResponse;
using idempotency::v1::Token;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::Duration kDay = absl::Hours(24);

// The tokens of a list, as `region/zone/token`.
std::vector<std::string> NamesIn(const absl::StatusOr<ListTokensResponse>& response) {
  EXPECT_THAT(response, IsOk());
  std::vector<std::string> names;
  if (!response.ok()) return names;
  for (const Token& token : response->tokens()) {
    names.push_back(absl::StrCat(token.region(), "/", token.availability_zone(), "/", token.client_token()));
  }
  return names;
}

class ListTokensTest : public TokensFixture {
 protected:
  void Use(const std::string& token, const std::string& place = "", const std::string& tenant = "default") {
    ASSERT_EQ(Deposit("client_token: '" + token + "' " + place, tenant).result, "executed");
  }
  void UseSome() {
    Use("b");
    Use("a");
    Use("a", "region: 'home' zone: 'cellar'");
    Use("a", "region: 'away'");
    Use("c", "region: 'away' zone: 'attic'");
  }
};

TEST_F(ListTokensTest, C28_ListsTokensByRegionZoneAndToken) {
  EXPECT_THAT(NamesIn(List("")), IsEmpty());
  UseSome();
  const auto all = List("");
  EXPECT_THAT(NamesIn(all), ElementsAre("away//a", "away/attic/c", "home//a", "home//b", "home/cellar/a"));
  EXPECT_EQ(all->next_page_token(), "");
}

TEST_F(ListTokensTest, C28_ATokenIsAsGetTokenHasItWithoutItsReply) {
  Use("token");
  Token expected = Get("client_token: 'token'").value();
  ASSERT_NE(expected.reply(), "");
  expected.clear_reply();
  expected.clear_reply_type();
  EXPECT_THAT(List("")->tokens(), ElementsAre(EqualsProto(expected)));
}

TEST_F(ListTokensTest, C25_ASecretReplyIsNotListedAndNeedsNoKey) {
  ASSERT_EQ(Stash("client_token: 'token' memo: 'm'").result, "executed");
  seal_key_file_ = SealKeys::NewFile("another");
  Restart();
  const auto listed = List("");
  EXPECT_THAT(NamesIn(listed), ElementsAre("home//token"));
  EXPECT_EQ(listed->tokens(0).reply(), "");
}

TEST_F(ListTokensTest, C28_MayBeNarrowedToARegionATokenOrBoth) {
  UseSome();
  EXPECT_THAT(NamesIn(List("region: 'away'")), ElementsAre("away//a", "away/attic/c"));
  EXPECT_THAT(NamesIn(List("client_token: 'a'")), ElementsAre("away//a", "home//a", "home/cellar/a"));
  EXPECT_THAT(NamesIn(List("client_token: 'a' region: 'home'")), ElementsAre("home//a", "home/cellar/a"));
  EXPECT_THAT(NamesIn(List("client_token: 'd'")), IsEmpty());
}

TEST_F(ListTokensTest, C4_OnlyTheCallersOwnAreListed) {
  Use("ours", "", "tenant");
  Use("theirs", "", "tenan");
  Use("theirs", "", "tenants");
  EXPECT_THAT(NamesIn(List("", "tenant")), ElementsAre("home//ours"));
  EXPECT_THAT(NamesIn(List("region: 'home'", "tenant")), ElementsAre("home//ours"));
  EXPECT_THAT(NamesIn(List("", "stranger")), IsEmpty());
}

TEST_F(ListTokensTest, C28_PagesHaveEachTokenOnce) {
  for (int i = 100; i < 125; ++i) Use(absl::StrCat("token-", i), i % 2 == 0 ? "" : "region: 'away'");
  Use("other", "", "another-tenant");
  for (const int page_size : {1, 7, 25, 1000}) {
    std::vector<std::string> names;
    std::string page_token;
    int pages = 0;
    do {
      const auto page = List(absl::StrCat("page_size: ", page_size, " page_token: '", page_token, "'"));
      ASSERT_THAT(page, IsOk());
      EXPECT_LE(page->tokens_size(), page_size);
      for (const std::string& name : NamesIn(page)) names.push_back(name);
      page_token = page->next_page_token();
      ++pages;
    } while (!page_token.empty());
    EXPECT_EQ(names, NamesIn(List(""))) << page_size;
    EXPECT_EQ(names.size(), 25) << page_size;
    EXPECT_EQ(pages, (25 + page_size - 1) / page_size) << page_size;
  }
}

TEST_F(ListTokensTest, C28_AFilteredListIsPagedToo) {
  UseSome();
  const auto first = List("client_token: 'a' page_size: 2");
  EXPECT_THAT(NamesIn(first), ElementsAre("away//a", "home//a"));
  EXPECT_THAT(NamesIn(List("client_token: 'a' page_size: 2 page_token: '" + first->next_page_token() + "'")),
              ElementsAre("home/cellar/a"));
}

TEST_F(ListTokensTest, C17_ExpiredOnesAreListedAndForgottenOnesAreNotWhetherCompactedOrNot) {
  Use("old");
  clock_.Advance(kDay);
  Use("young");
  for (int i = 0; i < 2; ++i) {
    const auto both = List("");
    ASSERT_THAT(NamesIn(both), ElementsAre("home//old", "home//young"));
    EXPECT_EQ(both->tokens(0).state(), idempotency::v1::TOKEN_STATE_EXPIRED);
    EXPECT_EQ(both->tokens(1).state(), idempotency::v1::TOKEN_STATE_EXECUTED);
    ASSERT_THAT(store_->Compact(), IsOk());
  }
  clock_.Advance(30 * kDay);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(NamesIn(List("")), ElementsAre("home//young"));
    ASSERT_THAT(store_->Compact(), IsOk());
  }
}

TEST_F(ListTokensTest, C20_AbandonedOnesAreListed) {
  ASSERT_THAT(Abandon("client_token: 'token'"), IsOk());
  const auto listed = List("");
  ASSERT_THAT(NamesIn(listed), ElementsAre("home//token"));
  EXPECT_EQ(listed->tokens(0).state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_EQ(FromTimestamp(listed->tokens(0).abandon_time()), clock_.Now());
}

// Nobody knows what became of such a token; of the others it is known as before.
TEST_F(ListTokensTest, C18_C28_ADamagedOneIsListedAsThatAndDoesNotEndTheList) {
  UseSome();
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Put(Table::kTokens,
                                EncodeTokenKey({.tenant = "default", .region = "home", .zone = "", .token = "a"}),
                                "damaged");
                        txn.Put(Table::kTokens, TokenPrefix("default", "home") + "no key", "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  const auto all = List("");
  ASSERT_THAT(NamesIn(all), ElementsAre("away//a", "away/attic/c", "home//a", "home//b", "home/cellar/a", "//"));
  for (int i = 0; i < all->tokens_size(); ++i) {
    EXPECT_EQ(all->tokens(i).state() == idempotency::v1::TOKEN_STATE_DAMAGED, i == 2 || i == 5) << i;
  }
  EXPECT_THAT(NamesIn(List("client_token: 'a' region: 'home'")), ElementsAre("home//a", "home/cellar/a"));
  // With pages of one, too.
  std::vector<std::string> names;
  std::string page_token;
  do {
    const auto page = List(absl::StrCat("page_size: 1 page_token: '", page_token, "'"));
    for (const std::string& name : NamesIn(page)) names.push_back(name);
    page_token = page.ok() ? page->next_page_token() : "";
  } while (!page_token.empty());
  EXPECT_EQ(names, NamesIn(all));
}

TEST_F(ListTokensTest, BadInputIsNamed) {
  UseSome();
  EXPECT_THAT(List("page_size: -1"), Refuses(Reason::kInvalidParameter, "page_size"));
  EXPECT_THAT(List("page_size: 1001"), Refuses(Reason::kInvalidParameter, "page_size"));
  EXPECT_THAT(List("page_token: 'x'"), Refuses(Reason::kInvalidParameter, "page_token"));
  EXPECT_THAT(List("region: 'nowhere'"), Refuses(Reason::kUnknownRegion, "region"));
  const auto bad_token = List("client_token: 'to ken'");
  EXPECT_THAT(bad_token, HasReason(Reason::kInvalidClientToken));
  EXPECT_THAT(FieldsOf(bad_token.status()), ElementsAre("client_token"));
}

TEST_F(ListTokensTest, APageTokenIsOfItsListAndTenant) {
  UseSome();
  const std::string page_token = "page_token: '" + List("page_size: 1")->next_page_token() + "'";
  EXPECT_THAT(List("region: 'home' " + page_token), Refuses(Reason::kInvalidParameter, "page_token"));
  EXPECT_THAT(List("client_token: 'a' " + page_token), Refuses(Reason::kInvalidParameter, "page_token"));
  EXPECT_THAT(List(page_token, "stranger"), Refuses(Reason::kInvalidParameter, "page_token"));
  EXPECT_EQ(NamesIn(List(page_token)).size(), 4);
}

}  // namespace
}  // namespace hapax
