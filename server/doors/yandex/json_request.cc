#include "hapax/server/doors/yandex/json_request.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/doors/yandex/requests.h"
#include "hapax/server/http/form.h"

namespace hapax::yandex {
namespace {

constexpr size_t kMaxFaultBytes = 200;

// `place` is the part of the request that the text comes from.
absl::Status ReadJson(std::string_view place, const std::string& text, google::protobuf::Message& request) {
  const auto status = google::protobuf::util::JsonStringToMessage(text, &request);
  if (status.ok()) return absl::OkStatus();
  // Its first line says what is wrong; the others show the text around it.
  std::string fault(status.message());
  fault = absl::Utf8SafeCHexEscape(fault.substr(0, fault.find('\n'))).substr(0, kMaxFaultBytes);
  while (!fault.empty() && (static_cast<unsigned char>(fault.back()) & 0x80U) != 0) fault.pop_back();
  return RefuseParameter(place, absl::StrCat("must be fields of ", request.GetTypeName(), " in JSON: ", fault));
}

}  // namespace

absl::Status ReadBody(std::string_view text, google::protobuf::Message& request) {
  if (text.empty()) return absl::OkStatus();
  if (text.size() > kMaxRequestBytes) {
    return RefuseParameter("body", absl::StrCat("must have at most ", kMaxRequestBytes, " bytes"));
  }
  return ReadJson("body", std::string(text), request);
}

absl::Status ReadQuery(std::string_view query, google::protobuf::Message& request) {
  const absl::StatusOr<FormPairs> pairs = ParseForm(query);
  if (!pairs.ok()) return RefuseParameter("query", std::string(pairs.status().message()));
  google::protobuf::Struct object;
  for (const auto& [name, value] : *pairs) {
    google::protobuf::Value& field = (*object.mutable_fields())[name];
    if (field.kind_case() != google::protobuf::Value::KIND_NOT_SET) {
      return RefuseParameter("query", "must have each parameter once");
    }
    field.set_string_value(value);
  }
  std::string json;
  if (const auto status = google::protobuf::util::MessageToJsonString(object, &json); !status.ok()) {
    return RefuseParameter("query", "must be text");
  }
  return ReadJson("query", json, request);
}

}  // namespace hapax::yandex
