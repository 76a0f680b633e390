#ifndef HAPAX_SERVER_DOORS_OPENSTACK_JSON_TEXT_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_JSON_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hapax::openstack {

// Writes one object of JSON, whose members stay in the order in which they are added. So the same calls make the same
// bytes.
//
//   JsonObject().Text("id", "i-1").Number("vcpus", 2).ToText()  ->  {"id":"i-1","vcpus":2}
//
// What JSON does not allow in a string is escaped. Bytes that are not UTF-8, such as of a header, become U+FFFD.
class JsonObject {
 public:
  JsonObject& Text(std::string_view name, std::string_view value);
  JsonObject& Number(std::string_view name, int64_t value);
  JsonObject& Bool(std::string_view name, bool value);
  JsonObject& Null(std::string_view name);
  JsonObject& Object(std::string_view name, const JsonObject& value);
  JsonObject& Objects(std::string_view name, const std::vector<JsonObject>& values);
  JsonObject& Texts(std::string_view name, const std::vector<std::string>& values);

  [[nodiscard]] std::string ToText() const { return "{" + members_ + "}"; }

 private:
  JsonObject& Add(std::string_view name, std::string_view json);

  std::string members_;
};

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_JSON_TEXT_H_
