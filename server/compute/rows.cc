#include "hapax/server/compute/rows.h"

#include "hapax/storage/key.h"

namespace hapax::compute {
namespace {

KeyBuilder Kind(std::string_view kind) {
  KeyBuilder builder;
  builder.String(kind);
  return builder;
}

}  // namespace

std::string InstancePrefix(std::string_view tenant) { return Kind("i").String(tenant).Build(); }
std::string InstanceKey(std::string_view tenant, std::string_view instance_id) {
  return Kind("i").String(tenant).String(instance_id).Build();
}

std::string HostPrefix(std::string_view tenant) { return Kind("h").String(tenant).Build(); }
std::string HostKey(std::string_view tenant, std::string_view host_id) {
  return Kind("h").String(tenant).String(host_id).Build();
}

std::string KeyPairPrefix(std::string_view tenant) { return Kind("k").String(tenant).Build(); }
std::string KeyPairKey(std::string_view tenant, std::string_view region, std::string_view key_name) {
  return Kind("k").String(tenant).String(region).String(key_name).Build();
}

std::string TenantUseKey(std::string_view tenant) { return Kind("t").String(tenant).Build(); }
std::string ZoneUseKey(std::string_view zone) { return Kind("z").String(zone).Build(); }

std::string ReturnedAddressPrefix(std::string_view subnet_id) { return Kind("a").String(subnet_id).Build(); }
std::string ReturnedAddressKey(std::string_view subnet_id, uint32_t address) {
  return Kind("a").String(subnet_id).Uint64(address).Build();
}

std::string PlacePrefix() { return Kind("p").Build(); }
std::string PlaceKey(std::string_view name) { return Kind("p").String(name).Build(); }

}  // namespace hapax::compute
