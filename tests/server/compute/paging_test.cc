#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

// Lists that are read page by page while others write: what is there from the first page to the last is listed
// exactly once, whatever comes and goes in between (AIP-158).
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::Eq;

// A catalog with room for what the tests make.
v1::Catalog AmpleCatalog() {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_regions(1)->mutable_zones(0)->set_vcpus(100'000);
  catalog.mutable_quota()->set_instances(1'000);
  catalog.mutable_quota()->set_hosts(1'000);
  return catalog;
}

class PagingTest : public testing::Test {
 protected:
  // The names on all pages, in their order. `between` is called with the number of each page before it is read,
  // from the second on.
  std::vector<std::string> Instances(const std::string& text, const std::function<void(int)>& between = {}) {
    auto request = FromText<v1::DescribeInstancesRequest>(text);
    return Pages(between, [&](const std::string& page_token, std::vector<std::string>& names) {
      request.set_page_token(page_token);
      const auto page = compute_.DescribeInstances(request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return std::string();
      for (const v1::Instance& instance : page->instances()) names.push_back(instance.instance_id());
      return page->next_page_token();
    });
  }
  std::vector<std::string> Hosts(const std::string& text, const std::function<void(int)>& between = {}) {
    auto request = FromText<v1::DescribeHostsRequest>(text);
    return Pages(between, [&](const std::string& page_token, std::vector<std::string>& names) {
      request.set_page_token(page_token);
      const auto page = compute_.DescribeHosts(request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return std::string();
      for (const v1::Host& host : page->hosts()) names.push_back(host.host_id());
      return page->next_page_token();
    });
  }
  std::vector<std::string> KeyPairs(const std::string& text, const std::function<void(int)>& between = {}) {
    auto request = FromText<v1::DescribeKeypairsRequest>(text);
    return Pages(between, [&](const std::string& page_token, std::vector<std::string>& names) {
      request.set_page_token(page_token);
      const auto page = compute_.DescribeKeypairs(request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return std::string();
      for (const v1::KeyPair& pair : page->key_pairs()) names.push_back(pair.key_name());
      return page->next_page_token();
    });
  }

  void Launch(int count) {
    ASSERT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>(
                    absl::StrCat("image_id: 'ami-1' region: 'eu-west-1' min_count: ", count))),
                IsOk());
  }
  void Terminate(int number) {
    ASSERT_THAT(compute_.TerminateInstances(FromText<v1::TerminateInstancesRequest>(
                    "region: 'eu-west-1' instance_ids: '" + CountedId("i", number) + "'")),
                IsOk());
    ASSERT_EQ(compute_.FinishShutDowns(), 1);
  }
  void Allocate(int count) {
    ASSERT_THAT(compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                    absl::StrCat("availability_zone: 'eu-west-1a' instance_type: 'm5.large' quantity: ", count))),
                IsOk());
  }
  void Release(int number) {
    ASSERT_THAT(compute_.ReleaseHosts(FromText<v1::ReleaseHostsRequest>("region: 'eu-west-1' host_ids: '" +
                                                                        CountedId("h", number) + "'")),
                IsOk());
  }
  void Create(const std::string& name) {
    ASSERT_THAT(compute_.CreateKeypair(FromText<v1::CreateKeypairRequest>("key_name: '" + name + "'")), IsOk());
  }
  void Delete(const std::string& name) {
    ASSERT_THAT(compute_.DeleteKeypair(FromText<v1::DeleteKeypairRequest>("key_name: '" + name + "'")), IsOk());
  }

  TestCompute compute_{AmpleCatalog()};

 private:
  using ReadPage = std::function<std::string(const std::string& page_token, std::vector<std::string>& names)>;

  static std::vector<std::string> Pages(const std::function<void(int)>& between, const ReadPage& read) {
    std::vector<std::string> names;
    std::string page_token = read("", names);
    for (int page = 2; !page_token.empty(); ++page) {
      if (between) between(page);
      page_token = read(page_token, names);
    }
    return names;
  }
};

// Ids number `first` to `last` but for `without`.
std::vector<std::string> Ids(const std::string& prefix, int first, int last, int without = 0) {
  std::vector<std::string> ids;
  for (int i = first; i <= last; ++i) {
    if (i != without) ids.push_back(CountedId(prefix, i));
  }
  return ids;
}

TEST_F(PagingTest, InstancesThatAreLaunchedAndTerminatedInBetweenDisturbNoOther) {
  Launch(10);
  const auto between = [&](int page) {
    if (page != 2) return;
    Launch(2);
    Terminate(1);
    Terminate(9);
  };
  EXPECT_THAT(Instances("page_size: 3", between), Eq(Ids("i", 1, 12)));
}

// A filter on the state sees each instance as it is when its page is read.
TEST_F(PagingTest, AFilteredListShowsEveryInstanceThatMatchedAllTheTime) {
  Launch(10);
  const auto between = [&](int page) {
    if (page != 2) return;
    Terminate(1);  // Listed already.
    Terminate(9);  // Not yet.
  };
  EXPECT_THAT(Instances("page_size: 3 filters { name: 'instance-state-name' values: 'pending' }", between),
              Eq(Ids("i", 1, 10, /*without=*/9)));
}

TEST_F(PagingTest, HostsThatAreAllocatedAndReleasedInBetweenDisturbNoOther) {
  Allocate(10);
  const auto between = [&](int page) {
    if (page != 2) return;
    Allocate(2);
    Release(1);  // Listed already.
    Release(9);  // Not yet.
  };
  EXPECT_THAT(Hosts("page_size: 3", between), Eq(Ids("h", 1, 12, /*without=*/9)));
}

TEST_F(PagingTest, TheHostThatEndedAPageMayBeGoneBeforeTheNext) {
  Allocate(6);
  EXPECT_THAT(Hosts("page_size: 2", [&](int page) { Release(2 * (page - 1)); }), Eq(Ids("h", 1, 6)));
}

TEST_F(PagingTest, AllThatIsLeftMayBeGoneBeforeTheNextPage) {
  Allocate(3);
  EXPECT_THAT(Hosts("page_size: 2", [&](int) { Release(3); }), Eq(Ids("h", 1, 2)));
}

TEST_F(PagingTest, NamedHostsThatAreReleasedInBetweenAreLeftOut) {
  Allocate(6);
  std::string named = "page_size: 2";
  for (const std::string& id : Ids("h", 1, 6)) named += " host_ids: '" + id + "'";
  const auto listed = Hosts(named, [&](int page) {
    if (page != 2) return;
    Release(1);  // Listed already.
    Release(4);  // Not yet.
  });
  EXPECT_THAT(listed, Eq(Ids("h", 1, 6, /*without=*/4)));
}

// Also one that would be on a later page.
TEST_F(PagingTest, ThatNamedOnesExistIsCheckedWithTheFirstPage) {
  Allocate(2);
  Launch(2);
  Create("a");
  const std::string hosts = "page_size: 1 host_ids: ['" + CountedId("h", 1) + "', 'h-none']";
  EXPECT_THAT(compute_.DescribeHosts(FromText<v1::DescribeHostsRequest>(hosts)),
              Refuses(Reason::kHostNotFound, "host_ids"));
  const std::string instances = "page_size: 1 instance_ids: ['" + CountedId("i", 1) + "', 'i-none']";
  EXPECT_THAT(compute_.DescribeInstances(FromText<v1::DescribeInstancesRequest>(instances)),
              Refuses(Reason::kInstanceNotFound, "instance_ids"));
  EXPECT_THAT(compute_.DescribeKeypairs(FromText<v1::DescribeKeypairsRequest>("page_size: 1 key_names: ['a', 'none']")),
              Refuses(Reason::kKeypairNotFound, "key_names"));
}

TEST_F(PagingTest, KeyPairsThatAreMadeAndDeletedInBetweenDisturbNoOther) {
  for (const char* name : {"b", "d", "f", "h", "j"}) Create(name);
  const auto listed = KeyPairs("page_size: 2", [&](int page) {
    if (page == 2) {
      Create("a");  // Before the place that was reached: not listed.
      Delete("b");  // Was listed.
      Create("e");  // Behind it: listed.
      Delete("f");
    }
    if (page == 3) Delete("h");  // Ended the page before.
  });
  EXPECT_THAT(listed, ElementsAre("b", "d", "e", "h", "j"));
}

TEST_F(PagingTest, NamedKeyPairsThatAreDeletedInBetweenAreLeftOut) {
  for (const char* name : {"a", "b", "c", "d"}) Create(name);
  EXPECT_THAT(KeyPairs("page_size: 1 key_names: ['d', 'c', 'a']",
                       [&](int page) {
                         if (page != 2) return;
                         Delete("a");
                         Delete("c");
                       }),
              ElementsAre("a", "d"));
}

TEST_F(PagingTest, APairThatIsDeletedAndMadeAgainBehindTheReaderIsNotListedTwice) {
  for (const char* name : {"a", "b", "c"}) Create(name);
  EXPECT_THAT(KeyPairs("page_size: 1",
                       [&](int page) {
                         if (page != 2) return;
                         Delete("a");
                         Create("a");
                       }),
              ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace hapax::compute
