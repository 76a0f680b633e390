#ifndef HAPAX_SERVER_DOORS_OPENSTACK_JSON_FIELDS_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_JSON_FIELDS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/struct.pb.h"

namespace hapax::openstack {

// The longest body of a request, in bytes. The parsed form takes some 50 times as much.
inline constexpr size_t kMaxBodyBytes = size_t{256} << 10;

// The fields of one object of a request in JSON, taken by name. A field that is null counts as missing.
//
//   JsonFields body = *JsonFields::Parse(request.body);
//   JsonFields server = body.Object("server");
//   const std::string name = server.RequiredText("name");
//   HAPAX_RETURN_IF_ERROR(server.Finish());
//   HAPAX_RETURN_IF_ERROR(body.Finish());
//
// The first error of an object, or of one taken from it, is what Finish returns; until then missing values are empty.
// Errors: INVALID_PARAMETER, naming the field by its path, such as `server.networks[0].uuid`.
class JsonFields {
 public:
  // Errors: INVALID_PARAMETER, it is no object, is nested too deep, or is longer than kMaxBodyBytes.
  [[nodiscard]] static absl::StatusOr<JsonFields> Parse(std::string_view text);

  // Whether the field is there and not null.
  [[nodiscard]] bool Has(std::string_view name) const;
  // All that are there, also those that are null; sorted.
  [[nodiscard]] std::vector<std::string> Names() const;

  [[nodiscard]] std::string Text(std::string_view name);
  [[nodiscard]] std::string RequiredText(std::string_view name);
  // A number that is 1 or more, perhaps as a text; 0 if it is missing.
  [[nodiscard]] int Count(std::string_view name);
  // Also the texts `True` and `False`, as Nova.
  [[nodiscard]] bool Bool(std::string_view name);
  // An object; if it is missing, an empty one.
  [[nodiscard]] JsonFields Object(std::string_view name);
  [[nodiscard]] JsonFields RequiredObject(std::string_view name);
  // A list of objects, at most `max`.
  [[nodiscard]] std::vector<JsonFields> Objects(std::string_view name, size_t max);
  // The texts of an object, by name; at most `max`.
  [[nodiscard]] std::map<std::string, std::string> Texts(std::string_view name, size_t max);
  // Takes a field if it is null or an empty object.
  [[nodiscard]] bool TakeIfEmpty(std::string_view name);
  // Takes a field if it is this text.
  [[nodiscard]] bool TakeIfText(std::string_view name, std::string_view text);
  // Takes a field, whatever it is.
  void Take(std::string_view name) { static_cast<void>(Extract(name)); }

  void Refuse(std::string_view name, std::string_view allowed);
  // The first error, or one that names a field that was not taken.
  [[nodiscard]] absl::Status Finish();

 private:
  JsonFields(std::string path, std::shared_ptr<absl::Status> error)
      : path_(std::move(path)), error_(std::move(error)) {}

  [[nodiscard]] std::string PathOf(std::string_view name) const;
  // Takes a field out; nullopt if it is missing or null.
  [[nodiscard]] std::optional<google::protobuf::Value> Extract(std::string_view name);
  void RefuseMissing(std::string_view name) { Refuse(name, "is required"); }

  std::string path_;
  google::protobuf::Struct fields_;
  std::shared_ptr<absl::Status> error_;  // Shared with the objects that were taken from this one.
};

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_JSON_FIELDS_H_
