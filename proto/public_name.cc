#include "hapax/proto/public_name.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hapax {
namespace {

struct Package {
  std::string_view own;
  std::string_view public_name;
};

// Those of cmake/HapaxProtos.cmake.
constexpr std::array<Package, 4> kPackages = {{
    {"hapax.external.health.", "grpc.health.v1."},
    {"hapax.external.longrunning.", "google.longrunning."},
    {"hapax.external.reflection.", "grpc.reflection.v1alpha."},
    {"hapax.external.rpc.", "google.rpc."},
}};

std::string Renamed(std::string_view name, std::string_view Package::*from, std::string_view Package::*to) {
  for (const Package& package : kPackages) {
    const std::string_view prefix = package.*from;
    if (name.substr(0, prefix.size()) == prefix) {
      return std::string(package.*to).append(name.substr(prefix.size()));
    }
  }
  return std::string(name);
}

std::string RenamedPath(std::string_view path, std::string_view Package::*from, std::string_view Package::*to) {
  const size_t folder = path.rfind('/') + 1;  // 0 of a path without one.
  const std::string package = absl::StrReplaceAll(absl::string_view(path.data(), folder), {{"/", "."}});
  return absl::StrReplaceAll(Renamed(package, from, to), {{".", "/"}}).append(path.substr(folder));
}

}  // namespace

std::string PublicName(std::string_view own) { return Renamed(own, &Package::own, &Package::public_name); }
std::string OwnName(std::string_view public_name) { return Renamed(public_name, &Package::public_name, &Package::own); }
std::string PublicPath(std::string_view own) { return RenamedPath(own, &Package::own, &Package::public_name); }
std::string OwnPath(std::string_view public_path) {
  return RenamedPath(public_path, &Package::public_name, &Package::own);
}

const google::protobuf::Descriptor* FindMessageType(const google::protobuf::DescriptorPool& pool,
                                                    absl::string_view public_name) {
  const std::string name(public_name);
  const auto* const found = pool.FindMessageTypeByName(name);
  return found != nullptr ? found : pool.FindMessageTypeByName(OwnName(name));
}

std::string TypeUrlOf(const google::protobuf::Descriptor& type) {
  return absl::StrCat("type.googleapis.com/", PublicName(type.full_name()));
}

void Pack(const google::protobuf::Message& message, google::protobuf::Any& any) {
  any.set_type_url(TypeUrlOf(*message.GetDescriptor()));
  any.set_value(message.SerializeAsString());
}

bool Holds(const google::protobuf::Any& any, const google::protobuf::Descriptor& type) {
  return absl::EndsWith(any.type_url(), absl::StrCat("/", PublicName(type.full_name())));
}

bool Unpack(const google::protobuf::Any& any, google::protobuf::Message& message) {
  return Holds(any, *message.GetDescriptor()) && message.ParseFromString(any.value());
}

}  // namespace hapax
