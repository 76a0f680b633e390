#include "hapax/server/doors/openstack/catalog_views.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

namespace hapax::openstack {
namespace {

using CatalogViewsTest = DoorFixture;

TEST_F(CatalogViewsTest, FlavorsAreInstanceTypes) {
  EXPECT_EQ(Get("/v2.1/flavors/detail", "is_public=None").At("flavors.1.vcpus"), "4");
  EXPECT_EQ(Get("/v2.1/flavors").At("flavors.0.vcpus"), "(none)");
  EXPECT_EQ(Get("/v2.1/flavors", "marker=m5.large&limit=5").At("flavors.0.id"), "m5.xlarge");
  EXPECT_EQ(Get("/v2.1/flavors/m5.large").At("flavor.vcpus"), "2");
  EXPECT_EQ(Get("/v2.1/flavors/m5.large/os-extra_specs").http.body, R"({"extra_specs":{}})");
  EXPECT_EQ(Get("/v2.1/flavors/m9").Result(), "404 itemNotFound");
  EXPECT_EQ(Get("/v2.1/flavors", "minRam=1").Result(), "400 badRequest");
}

TEST_F(CatalogViewsTest, ImagesAreThoseOfTheCatalog) {
  EXPECT_EQ(Get("/image/v2/images").At("images.0.id"), "ami-1");
  EXPECT_EQ(Get("/image/v2/images", "name=ami-1").At("images.0.id"), "ami-1");
  EXPECT_EQ(Get("/image/v2/images", "name=x").At("images.0"), "(none)");
  EXPECT_EQ(Get("/image/v2/images/ami-1").At("status"), "active");
  EXPECT_EQ(Get("/image/v2/images/x").Result(), "404 itemNotFound");
}

TEST_F(CatalogViewsTest, ZonesAreThoseOfTheEndpoint) {
  EXPECT_EQ(Get("/v2.1/os-availability-zone").At("availabilityZoneInfo.2.zoneName"), "us-east-1b");
  EXPECT_EQ(Get("/regions/us-east-1/v2.1/os-availability-zone/detail").At("availabilityZoneInfo.0.zoneName"),
            "us-east-1a");
}

TEST_F(CatalogViewsTest, OneVersionIsServed) {
  EXPECT_EQ(Get("/v2.1/").At("version.version"), "2.1");
  EXPECT_EQ(Get("/image").At("versions.0.status"), "CURRENT");
  for (const char* version : {"compute 2.1", "compute latest", "volume 3.0"}) {
    EXPECT_EQ(Send({.method = "GET", .path = "/v2.1", .headers = {{"openstack-api-version", version}}}).http.status,
              200);
  }
  EXPECT_EQ(
      Send({.method = "GET", .path = "/v2.1", .headers = {{"openstack-api-version", "compute 2.96"}}}).http.status,
      406);
  EXPECT_EQ(Send({.method = "GET", .path = "/v2.1", .headers = {{"x-openstack-nova-api-version", "2.2"}}}).http.status,
            406);
}

TEST_F(CatalogViewsTest, WhoIsNotKnownGetsNothing) {
  calls_.refuse_with = Reason::kUnauthenticated;
  for (const char* path :
       {"/v2.1/flavors", "/v2.1/flavors/m5.large", "/v2.1/flavors/m9", "/image/v2/images", "/image/v2/images/ami-1",
        "/v2.1/os-availability-zone", "/v2.1/servers", "/v2.1/servers/x", "/v2.1/os-keypairs"}) {
    EXPECT_EQ(Get(path).Result(), "401 unauthorized") << path;
  }
}

}  // namespace
}  // namespace hapax::openstack
