#include "hapax/server/doors/openstack/json_text.h"

namespace hapax::openstack {
namespace {

std::string Quoted(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += "\\u00";
      quoted += kDigits[byte >> 4];
      quoted += kDigits[byte & 0xF];
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

// "[a,b]" of the JSON of each value.
template <typename Values, typename ToJson>
std::string Listed(const Values& values, const ToJson& to_json) {
  std::string list = "[";
  for (const auto& value : values) {
    if (list.size() > 1) list += ',';
    list += to_json(value);
  }
  list += ']';
  return list;
}

}  // namespace

JsonObject& JsonObject::Add(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  members_ += Quoted(name);
  members_ += ':';
  members_ += json;
  return *this;
}

JsonObject& JsonObject::Text(std::string_view name, std::string_view value) { return Add(name, Quoted(value)); }

JsonObject& JsonObject::Number(std::string_view name, int64_t value) { return Add(name, std::to_string(value)); }

JsonObject& JsonObject::Bool(std::string_view name, bool value) { return Add(name, value ? "true" : "false"); }

JsonObject& JsonObject::Null(std::string_view name) { return Add(name, "null"); }

JsonObject& JsonObject::Object(std::string_view name, const JsonObject& value) { return Add(name, value.ToText()); }

JsonObject& JsonObject::Objects(std::string_view name, const std::vector<JsonObject>& values) {
  return Add(name, Listed(values, [](const JsonObject& value) { return value.ToText(); }));
}

JsonObject& JsonObject::Texts(std::string_view name, const std::vector<std::string>& values) {
  return Add(name, Listed(values, [](const std::string& value) { return Quoted(value); }));
}

}  // namespace hapax::openstack
