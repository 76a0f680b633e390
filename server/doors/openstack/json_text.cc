#include "hapax/server/doors/openstack/json_text.h"

namespace hapax::openstack {
namespace {

// The length of the character of UTF-8 (RFC 3629) that the text begins with; 0 if it begins with none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  // Longer forms than needed, halves of surrogate pairs, and what is beyond U+10FFFF.
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (first < 0xC2 || first > 0xF4 || byte(1) < least || byte(1) > most) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

std::string Quoted(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    if (length == 0) {
      quoted += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += "\\u00";
      quoted += kDigits[byte >> 4];
      quoted += kDigits[byte & 0xF];
    } else {
      quoted += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
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
