#include "hapax/server/doors/yandex/routes.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/yandex/json_request.h"
#include "hapax/server/http/form.h"
#include "yandex/cloud/compute/v1/instance_service.pb.h"
#include "yandex/cloud/operation/operation_service.pb.h"

namespace hapax::yandex {
namespace {

constexpr std::string_view kInstances = "/compute/v1/instances";
constexpr std::string_view kOperations = "/operations";

struct Route {
  std::string_view http_method;
  std::string_view collection;
  std::string_view id_field;  // The field that gets the part behind the collection; empty: there is none.
  std::string_view verb;      // What follows an id.
  std::string_view method;
};

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", kInstances, "", "", "yandex.cloud.compute.v1.InstanceService/List"},
    {"POST", kInstances, "", "", "yandex.cloud.compute.v1.InstanceService/Create"},
    {"GET", kInstances, "instance_id", "", "yandex.cloud.compute.v1.InstanceService/Get"},
    {"DELETE", kInstances, "instance_id", "", "yandex.cloud.compute.v1.InstanceService/Delete"},
    {"POST", kInstances, "instance_id", ":start", "yandex.cloud.compute.v1.InstanceService/Start"},
    {"POST", kInstances, "instance_id", ":stop", "yandex.cloud.compute.v1.InstanceService/Stop"},
    {"GET", kOperations, "operation_id", "", "yandex.cloud.operation.OperationService/Get"},
});

struct Path {
  std::string_view collection;
  bool has_id = false;
  std::string id;
  std::string verb;
};

// Such as "/compute/v1/instances/ID:stop".
absl::StatusOr<Path> ReadPath(std::string_view text) {
  for (const std::string_view collection : {kInstances, kOperations}) {
    if (text == collection) return Path{.collection = collection};
    if (!text.starts_with(collection) || text[collection.size()] != '/') continue;
    const absl::StatusOr<std::string> id = PercentDecode(text.substr(collection.size() + 1));
    if (!id.ok()) return RefuseParameter("path", std::string(id.status().message()));
    if (id->empty() || id->find('/') != std::string::npos) break;
    const size_t colon = std::min(id->find(':'), id->size());
    return Path{.collection = collection, .has_id = true, .id = id->substr(0, colon), .verb = id->substr(colon)};
  }
  return absl::NotFoundError("there is nothing at this path");
}

const google::protobuf::MethodDescriptor& DescriptorOf(std::string_view method) {
  // So that the descriptors are linked in.
  static const ::yandex::cloud::compute::v1::StartInstanceRequest linked;
  static const ::yandex::cloud::operation::GetOperationRequest linked_too;
  const std::string name = absl::StrReplaceAll(absl::string_view(method.data(), method.size()), {{"/", "."}});
  const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  HAPAX_CHECK(descriptor != nullptr, "a route is that of a method in the protos");
  return *descriptor;
}

const google::protobuf::Message& PrototypeOf(const google::protobuf::Descriptor& type) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
}

absl::StatusOr<RestCall> ReadCall(const Route& route, const Path& path, const HttpRequest& http) {
  const auto& method = DescriptorOf(route.method);
  const std::unique_ptr<google::protobuf::Message> request(PrototypeOf(*method.input_type()).New());
  if (http.method == "POST") {
    if (!http.query.empty()) return RefuseParameter("query", "must be empty: the fields are those of the body");
    HAPAX_RETURN_IF_ERROR(ReadBody(http.body, *request));
  } else {
    if (!http.body.empty()) return RefuseParameter("body", "must be empty: the fields are those of the query");
    HAPAX_RETURN_IF_ERROR(ReadQuery(http.query, *request));
  }
  if (path.has_id) {
    const auto* const field = request->GetDescriptor()->FindFieldByName(std::string(route.id_field));
    HAPAX_CHECK(field != nullptr, "a route's id is a field of its request");
    const auto& reflection = *request->GetReflection();
    if (reflection.HasField(*request, field)) {
      return RefuseParameter(route.id_field, "must be left out: it is the one in the path");
    }
    reflection.SetString(request.get(), field, path.id);
  }
  return RestCall{.method = route.method,
                  .request = request->SerializeAsString(),
                  .mutates = method.options().idempotency_level() != google::protobuf::MethodOptions::NO_SIDE_EFFECTS,
                  .reply = &PrototypeOf(*method.output_type())};
}

}  // namespace

bool IsRestPath(std::string_view path) {
  for (const std::string_view top : {std::string_view("/compute/v1"), kOperations}) {
    if (path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/')) return true;
  }
  return false;
}

absl::StatusOr<RestCall> ReadRestCall(const HttpRequest& request) {
  HAPAX_ASSIGN_OR_RETURN(const Path path, ReadPath(request.path));
  bool is_path = false;
  for (const Route& route : kRoutes) {
    if (route.collection != path.collection || route.verb != path.verb) continue;
    if (path.has_id == route.id_field.empty()) continue;
    if (route.http_method == request.method) return ReadCall(route, path, request);
    is_path = true;
  }
  if (!is_path) return absl::NotFoundError("there is nothing at this path");
  return Refuse(Reason::kUnimplemented, "the method is not supported at this path");
}

}  // namespace hapax::yandex
