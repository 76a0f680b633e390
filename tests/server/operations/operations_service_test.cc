#include "hapax/server/operations/operations_service.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/operations_client.h"
#include "hapax/tests/server/support/operations_fixture.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/refusal_matchers.h"

// GetOperation and ListOperations; operations_service_wait_test.cc has WaitOperation.
namespace hapax {
namespace {

using external::longrunning::ListOperationsRequest;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

class OperationsServiceTest : public OperationsTest {
 protected:
  // Names of all that are listed, over all pages.
  std::vector<std::string> List(const std::string& request_text, const std::string& tenant = kTenant) {
    auto request = FromText<ListOperationsRequest>(request_text);
    std::vector<std::string> names;
    do {
      const auto page = client_.List(request, tenant);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      EXPECT_LE(page->operations_size(), request.page_size() == 0 ? 100 : request.page_size());
      for (const Operation& operation : page->operations()) names.push_back(operation.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }
  // `count` operations that begin a second apart, oldest first.
  std::vector<std::string> BeginMany(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(Begin().name());
    return names;
  }

  const OperationsClient client_{*store_, waiters_};
};

TEST_F(OperationsServiceTest, GetReturnsTheOperationAsItStands) {
  const Operation begun = Begin();
  EXPECT_THAT(client_.Get(begun.name(), kTenant), IsOkAndHolds(EqualsProto(begun)));
  ASSERT_THAT(Succeed(begun.name()), IsOk());
  const auto ended = client_.Get(begun.name(), kTenant);
  ASSERT_THAT(ended, IsOk());
  EXPECT_TRUE(ended->done());
  EXPECT_THAT(Get(begun.name()), IsOkAndHolds(EqualsProto(*ended)));
}

TEST_F(OperationsServiceTest, C4_AnotherTenantFindsAndListsNothing) {
  const std::string name = Begin().name();
  EXPECT_THAT(client_.Get(name, kOtherTenant), Refuses(Reason::kOperationNotFound, "name"));
  EXPECT_THAT(List("", kOtherTenant), IsEmpty());
  const std::string others = Begin(kOtherTenant).name();
  EXPECT_THAT(List(""), ElementsAre(name));
  EXPECT_THAT(List("", kOtherTenant), ElementsAre(others));
}

// A tenant whose name begins like another's is another.
TEST_F(OperationsServiceTest, C4_ATenantIsItsWholeName) {
  const std::string name = Begin("tenant").name();
  const std::string longer = Begin("tenant-2").name();
  EXPECT_THAT(List("", "tenant"), ElementsAre(name));
  EXPECT_THAT(List("", "tenant-2"), ElementsAre(longer));
  EXPECT_THAT(List("", "ten"), IsEmpty());
}

TEST_F(OperationsServiceTest, ListsOldestFirstOnPagesOfAnySize) {
  const std::vector<std::string> names = BeginMany(7);
  for (const char* request : {"", "name: 'operations'", "page_size: 1", "page_size: 2", "page_size: 3", "page_size: 6",
                              "page_size: 7", "page_size: 8", "page_size: 1000"}) {
    EXPECT_THAT(List(request), ElementsAreArray(names)) << request;
  }
}

TEST_F(OperationsServiceTest, WhatBeginsWhileAListIsPagedThroughComesLast) {
  const std::vector<std::string> names = BeginMany(3);
  auto request = FromText<ListOperationsRequest>("page_size: 2");
  const auto first = client_.List(request, kTenant);
  ASSERT_THAT(first, IsOk());
  const std::string late = Begin().name();
  ASSERT_THAT(Succeed(names[0]), IsOk());
  request.set_page_token(first->next_page_token());
  const auto second = client_.List(request, kTenant);
  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->operations_size(), 2);
  EXPECT_EQ(second->operations(0).name(), names[2]);
  EXPECT_EQ(second->operations(1).name(), late);
}

TEST_F(OperationsServiceTest, AFilterTellsTheDoneFromTheOpen) {
  const std::vector<std::string> names = BeginMany(5);
  ASSERT_THAT(Succeed(names[1]), IsOk());
  ASSERT_THAT(Fail(names[3], absl::InternalError("out of order")), IsOk());
  for (const char* page_size : {"", "page_size: 1"}) {
    EXPECT_THAT(List(std::string("filter: 'done = true' ") + page_size), ElementsAre(names[1], names[3]));
    EXPECT_THAT(List(std::string("filter: 'done=true' ") + page_size), ElementsAre(names[1], names[3]));
    EXPECT_THAT(List(std::string("filter: 'done = false' ") + page_size), ElementsAre(names[0], names[2], names[4]));
    EXPECT_THAT(List(std::string("filter: 'done=false' ") + page_size), ElementsAre(names[0], names[2], names[4]));
  }
}

TEST_F(OperationsServiceTest, AListRequestThatIsWrongIsRefusedWithItsField) {
  BeginMany(2);
  const auto list = [&](const std::string& text) {
    return client_.List(FromText<ListOperationsRequest>(text), kTenant);
  };
  EXPECT_THAT(list("name: 'operations/op-1'"), Refuses(Reason::kInvalidParameter, "name"));
  EXPECT_THAT(list("filter: 'done'"), Refuses(Reason::kInvalidParameter, "filter"));
  EXPECT_THAT(list("filter: 'done = TRUE'"), Refuses(Reason::kInvalidParameter, "filter"));
  EXPECT_THAT(list("page_size: -1"), Refuses(Reason::kInvalidParameter, "page_size"));
  EXPECT_THAT(list("page_size: 1001"), Refuses(Reason::kInvalidParameter, "page_size"));
  EXPECT_THAT(list("page_token: 'x'"), Refuses(Reason::kInvalidParameter, "page_token"));
  const auto page = list("page_size: 1");
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(list("filter: 'done = true' page_token: '" + page->next_page_token() + "'"),
              Refuses(Reason::kInvalidParameter, "page_token"));
}

}  // namespace
}  // namespace hapax
