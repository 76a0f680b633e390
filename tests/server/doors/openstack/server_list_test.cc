#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

// GET /v2.1/servers.
namespace hapax::openstack {
namespace {

using testing::HasSubstr;

class ServerListTest : public DoorFixture {
 protected:
  [[nodiscard]] static std::string Named(const std::string& name) {
    return R"({"server": {"name": ")" + name + R"(", "imageRef": "ami-1", "flavorRef": "m5.large"}})";
  }
  [[nodiscard]] std::string LaunchNamed(const std::string& name) {
    return Post("/v2.1/servers", Named(name)).At("server.id");
  }
  // The names that a query finds, in the order of their ids.
  [[nodiscard]] std::string Names(const std::string& query) {
    const NovaReply reply = Get("/v2.1/servers", query);
    EXPECT_EQ(reply.http.status, 200) << reply.http.body;
    std::string names;
    for (int i = 0; reply.At(absl::StrCat("servers.", i)) != "(none)"; ++i) {
      names += (i > 0 ? "," : "") + reply.At(absl::StrCat("servers.", i, ".name"));
    }
    return names;
  }
};

TEST_F(ServerListTest, ServersAreFoundByWhatTheyAre) {
  const std::string web = LaunchNamed("web");
  const std::string web_2 = LaunchNamed("web-2");
  const std::string star = LaunchNamed("a*b");
  compute_.FinishBoots();
  EXPECT_EQ(Names(""), "web,web-2,a*b");
  EXPECT_EQ(Names("name=web"), "web,web-2");
  EXPECT_EQ(Names("name=%5Eweb%24"), "web");
  EXPECT_EQ(Names("status=ACTIVE&flavor=m5.large&image=ami-1&deleted=False"), "web,web-2,a*b");
  EXPECT_EQ(Names("flavor=m5.xlarge"), "");
  EXPECT_EQ(Names("status=BUILD"), "");
  EXPECT_EQ(Names("status=NONE_SUCH"), "");
  EXPECT_EQ(Delete("/v2.1/servers/" + star).http.status, 204);
  EXPECT_EQ(Names(""), "web,web-2,a*b");
  compute_.FinishShutDowns();
  EXPECT_EQ(Names(""), "web,web-2");
  project_ = "bob";
  EXPECT_EQ(Names(""), "");
}

TEST_F(ServerListTest, PagesAreCutByLimitAndMarker) {
  const std::string first = LaunchNamed("1");
  const std::string second = LaunchNamed("2");
  const std::string third = LaunchNamed("3");
  const NovaReply page = Get("/v2.1/servers", "limit=2&name=");
  EXPECT_EQ(page.At("servers.1.id"), second);
  EXPECT_EQ(page.At("servers.2"), "(none)");
  EXPECT_EQ(page.At("servers_links.0.href"), "http://nova:8774/v2.1/servers?limit=2&name=&marker=" + second);
  const NovaReply last = Get("/v2.1/servers/detail", "limit=2&marker=" + second);
  EXPECT_EQ(last.At("servers.0.id"), third);
  EXPECT_EQ(last.At("servers_links"), "(none)");
  EXPECT_EQ(Names("marker=" + third), "");
  EXPECT_EQ(Names("limit=0"), "");
}

TEST_F(ServerListTest, WhatIsNotSupportedIsNamed) {
  for (const char* query : {"changes-since=2026-01-01", "all_tenants=1", "ip=10.0.0.1", "name=a.*", "limit=-1",
                            "limit=x", "name=a&name=b", "name=%zz"}) {
    const NovaReply reply = Get("/v2.1/servers/detail", query);
    EXPECT_EQ(reply.Result(), "400 badRequest") << query;
  }
  EXPECT_THAT(Get("/v2.1/servers", "changes-since=1").At("badRequest.message"), HasSubstr("changes-since"));
}

}  // namespace
}  // namespace hapax::openstack
