#include "hapax/server/hosting/listing.h"

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/server/compute/rows.h"
#include "hapax/tests/server/support/host_list_fixture.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_seed.h"

// Lists and their pages; page_token_test.cc has the tokens between them.
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(ListRowsTest, PagesOfEverySizeGiveTheSameList) {
  constexpr int kRows = 23;
  PutMany(kRows);
  std::vector<std::string> all;
  for (int i = 0; i < kRows; ++i) all.push_back(Name(i));
  for (int size = 1; size <= kRows + 2; ++size) {
    v1::DescribeHostsRequest request;
    request.set_page_size(size);
    std::vector<std::string> names;
    int pages = 0;
    do {
      const auto page = List(request);
      ASSERT_THAT(page, IsOk());
      ASSERT_LE(page->names.size(), static_cast<size_t>(size));
      names.insert(names.end(), page->names.begin(), page->names.end());
      request.set_page_token(page->next_page_token);
      ++pages;
    } while (!request.page_token().empty());
    EXPECT_EQ(names, all) << "size " << size;
    EXPECT_EQ(pages, (kRows + size - 1) / size) << "size " << size;
  }
}

TEST_F(ListRowsTest, AnEmptyListIsOnePage) {
  const auto page = List({});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, IsEmpty());
  EXPECT_EQ(page->next_page_token, "");
}

TEST_F(ListRowsTest, OnlyRowsBelowThePrefixAreListed) {
  Change([](Transaction& txn) {
    Put(txn, "mine");
    Put(txn, "theirs", "tenant-");
    Put(txn, "theirs", "tenan");
    PutRow(txn, kTable, KeyPairKey(kListTenant, "r", "key"), v1::KeyPair());
  });
  const auto page = List({});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, ElementsAre("mine"));
}

// A row that is there all the time is listed once, whatever comes and goes around it between the pages.
TEST_F(ListRowsTest, PagesStayConsistentWhileRowsAreInsertedAndDeleted) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 20; ++round) {
    std::set<std::string> present;
    Change([&](Transaction& txn) {
      for (int i = 0; i < 60; ++i) txn.Delete(kTable, HostKey(kListTenant, Name(i)));
      for (int i = 0; i < 60; i += 2) {
        Put(txn, Name(i));
        present.insert(Name(i));
      }
    });
    std::set<std::string> steady = present;
    std::vector<std::string> names;
    v1::DescribeHostsRequest request;
    request.set_page_size(1 + static_cast<int>(random() % 7));
    do {
      const auto page = List(request);
      ASSERT_THAT(page, IsOk());
      names.insert(names.end(), page->names.begin(), page->names.end());
      request.set_page_token(page->next_page_token);
      Change([&](Transaction& txn) {
        for (int i = 0; i < 6; ++i) {
          const std::string name = Name(static_cast<int>(random() % 60));
          steady.erase(name);
          if (present.erase(name) != 0) {
            txn.Delete(kTable, HostKey(kListTenant, name));
          } else {
            Put(txn, name);
            present.insert(name);
          }
        }
      });
    } while (!request.page_token().empty());
    for (size_t i = 1; i < names.size(); ++i) ASSERT_LT(names[i - 1], names[i]) << "out of order, or twice";
    const std::set<std::string> listed(names.begin(), names.end());
    for (const std::string& name : steady) ASSERT_TRUE(listed.contains(name)) << name;
  }
}

TEST_F(ListRowsTest, TheRowAtTheEndOfAPageMayGo) {
  PutMany(4);
  v1::DescribeHostsRequest request;
  request.set_page_size(2);
  auto page = List(request);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->names, ElementsAre(Name(0), Name(1)));
  Change([](Transaction& txn) { txn.Delete(kTable, HostKey(kListTenant, Name(1))); });
  request.set_page_token(page->next_page_token);
  page = List(request);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, ElementsAre(Name(2), Name(3)));
}

// However few rows belong to the list, a page looks at a bounded number of them.
TEST_F(ListRowsTest, APageThatWouldLookAtTooManyRowsComesOutShort) {
  constexpr int kRows = 20'002;
  PutMany(kRows);
  const Filter last_only = [](const v1::Host& host) { return host.host_id() >= Name(kRows - 2); };
  v1::DescribeHostsRequest request;
  auto page = List(request, last_only);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, IsEmpty());
  ASSERT_NE(page->next_page_token, "");
  request.set_page_token(page->next_page_token);
  page = List(request, last_only);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, ElementsAre(Name(kRows - 2), Name(kRows - 1)));
  EXPECT_EQ(page->next_page_token, "");
}

TEST_F(ListRowsTest, ADamagedRowIsToldByItsIdAndDoesNotEndTheList) {
  PutMany(3);
  Change([](Transaction& txn) { txn.Put(kTable, HostKey(kListTenant, Name(1)), "damaged"); });
  const auto listed = List({});
  ASSERT_THAT(listed, IsOk());
  EXPECT_THAT(listed->names, ElementsAre(Name(0), "damaged " + Name(1), Name(2)));
}

TEST_F(ListRowsTest, ADamagedRowTakesAPlaceOnItsPage) {
  PutMany(3);
  Change([](Transaction& txn) { txn.Put(kTable, HostKey(kListTenant, Name(1)), "damaged"); });
  v1::DescribeHostsRequest request;
  request.set_page_size(2);
  const auto first = List(request);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(first->names, ElementsAre(Name(0), "damaged " + Name(1)));
  request.set_page_token(first->next_page_token);
  EXPECT_THAT(List(request)->names, ElementsAre(Name(2)));
}

TEST_F(ListRowsTest, ThePageSizeIs0To1000And0Means100) {
  PutMany(1'001);
  for (const auto& [size, rows] : {std::pair(0, 100), std::pair(1, 1), std::pair(1'000, 1'000)}) {
    v1::DescribeHostsRequest request;
    request.set_page_size(size);
    const auto page = List(request);
    ASSERT_THAT(page, IsOk());
    EXPECT_THAT(page->names, SizeIs(rows));
  }
  for (const int size : {-1, 1'001}) {
    v1::DescribeHostsRequest request;
    request.set_page_size(size);
    EXPECT_THAT(List(request), Refuses(Reason::kInvalidParameter, "page_size", HasSubstr("0 to 1000")));
  }
}

TEST_F(ListRowsTest, ThePageSizeMayChangeBetweenPages) {
  PutMany(5);
  v1::DescribeHostsRequest request;
  request.set_page_size(2);
  auto page = List(request);
  ASSERT_THAT(page, IsOk());
  request.set_page_size(10);
  request.set_page_token(page->next_page_token);
  page = List(request);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->names, ElementsAre(Name(2), Name(3), Name(4)));
}

TEST(ListNames, PagesOfEverySizeGiveTheSameList) {
  const std::set<std::string> names = {"a", "b", "b\n", "c", "d"};
  for (int size = 1; size <= 6; ++size) {
    v1::DescribeSubnetsRequest request;
    request.set_page_size(size);
    std::vector<std::string> listed;
    do {
      const auto page = Page::Of(request, "key");
      ASSERT_THAT(page, IsOk());
      const auto next = ListNames(names, *page, [&](const std::string& name) {
        listed.push_back(name);
        return name.size();
      });
      ASSERT_THAT(next, IsOk());
      request.set_page_token(*next);
    } while (!request.page_token().empty());
    EXPECT_THAT(listed, testing::ElementsAreArray(names)) << "size " << size;
  }
}

TEST(ListNames, ARefusalOfANameIsTheResult) {
  const auto page = Page::Of(v1::DescribeSubnetsRequest(), "key");
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(ListNames({"a", "b"}, *page,
                        [](const std::string& name) -> absl::StatusOr<size_t> {
                          if (name == "a") return name.size();
                          return absl::NotFoundError("no " + name);
                        }),
              StatusIs(absl::StatusCode::kNotFound, "no b"));
}

}  // namespace
}  // namespace hapax::compute
