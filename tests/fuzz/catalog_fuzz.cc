// Catalog files: refused, naming what is wrong, or a catalog that hangs together.
#include <set>
#include <string>

#include "google/protobuf/text_format.h"
#include "hapax/base/check.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax::compute {
namespace {

void CheckSound(const Catalog& catalog) {
  HAPAX_CHECK(!catalog.regions().empty() && !catalog.zones().empty(), "there is somewhere to be");
  HAPAX_CHECK(catalog.FindInstanceType(catalog.default_instance_type()) != nullptr, "the default type is one");
  HAPAX_CHECK(catalog.quota().instances() >= 1 && catalog.quota().hosts() >= 1, "something may be had");
  size_t subnets = 0;
  for (const auto& [name, zone] : catalog.zones()) {
    HAPAX_CHECK(catalog.HasRegion(zone.region) && zone.vcpus >= 1 && !zone.subnets.empty(), "a zone is complete");
    subnets += zone.subnets.size();
    for (const Catalog::Subnet* subnet : zone.subnets) {
      HAPAX_CHECK(catalog.FindSubnet(subnet->id) == subnet && subnet->zone == name && subnet->region == zone.region,
                  "a zone has its own subnets");
    }
  }
  HAPAX_CHECK(subnets == catalog.subnets().size(), "a subnet lies in one zone");
  std::set<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [id, subnet] : catalog.subnets()) {
    HAPAX_CHECK(subnet.address_count > 0, "a subnet has addresses");
    ranges.emplace(subnet.first_address, subnet.first_address + static_cast<uint64_t>(subnet.address_count) - 1);
  }
  uint64_t free_from = 0;
  for (const auto& [first, last] : ranges) {
    HAPAX_CHECK(first >= free_from && last <= UINT32_MAX, "no address is in two subnets");
    free_from = last + 1;
  }
}

}  // namespace
}  // namespace hapax::compute

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  const std::string text = Input(data, size).Rest();
  const absl::StatusOr<compute::Catalog> catalog = compute::Catalog::Parse(text);
  if (!catalog.ok()) {
    HAPAX_CHECK(absl::IsInvalidArgument(catalog.status()), "a wrong file is an invalid argument");
    HAPAX_CHECK(!catalog.status().message().empty(), "and it is said what is wrong");
    return 0;
  }
  compute::CheckSound(*catalog);
  compute::v1::Catalog message;
  HAPAX_CHECK(google::protobuf::TextFormat::ParseFromString(text, &message), "it is the text of a message");
  HAPAX_CHECK(compute::Catalog::Parse(message.DebugString()).ok(), "which reads the same when it is written again");
  return 0;
}
