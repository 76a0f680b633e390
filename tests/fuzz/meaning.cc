#include "hapax/tests/fuzz/meaning.h"

#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/base/check.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLength = 2;
constexpr int kStartGroup = 3;
constexpr int kEndGroup = 4;
constexpr int kFixed32 = 5;

// A field on the wire.
struct Field {
  int number = 0;
  int wire_type = 0;
  uint64_t varint = 0;
  std::string content;  // Of anything but a varint; of a group what its fields' values are.
  std::string bytes;    // All of it, as it came.
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool AtEnd() const { return at_ >= bytes_.size(); }

  Field Next() {
    const size_t begin = at_;
    Field field;
    const auto tag = static_cast<uint32_t>(Varint());
    field.number = static_cast<int>(tag >> 3);
    field.wire_type = static_cast<int>(tag & 7);
    if (field.wire_type == kVarint) field.varint = Varint();
    if (field.wire_type == kFixed64) field.content = Take(8);
    if (field.wire_type == kFixed32) field.content = Take(4);
    if (field.wire_type == kLength) field.content = Take(Varint());
    while (field.wire_type == kStartGroup) {
      const Field inner = Next();
      if (inner.wire_type == kEndGroup) break;
      absl::StrAppend(&field.content, ValueOf(inner));
    }
    field.bytes = std::string(bytes_.substr(begin, at_ - begin));
    return field;
  }

  static std::string ValueOf(const Field& field) {
    return absl::StrCat("{", field.number, ":", field.wire_type, ":", field.varint, ":",
                        absl::CHexEscape(field.content), "}");
  }

 private:
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(Take(1)[0]);
      if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    HAPAX_CHECK(false, "the request is well-formed");
  }
  std::string Take(uint64_t count) {
    HAPAX_CHECK(count <= bytes_.size() - at_, "the request is well-formed");
    const std::string taken(bytes_.substr(at_, count));
    at_ += count;
    return taken;
  }

  std::string_view bytes_;
  size_t at_ = 0;
};

bool IsLengthDelimited(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING || field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// By number; what is unknown at a number, by its negative.
using Texts = std::map<int, std::string>;
Texts Read(std::string_view bytes, const Descriptor& type, Unknown unknown);

std::string Join(const Texts& texts) {
  return absl::StrCat("{", absl::StrJoin(texts, ",", absl::PairFormatter("=")), "}");
}

// Of all occurrences of a known field; empty when it is as if it were not there.
std::string TextOf(const std::vector<Field>& occurrences, const FieldDescriptor& field, Unknown unknown) {
  if (field.is_map()) {
    std::map<std::string, std::string> entries;
    for (const Field& entry : occurrences) {
      Texts texts = Read(entry.content, *field.message_type(), Unknown::kByValue);
      entries[texts[1]] = texts[2];
    }
    return absl::StrJoin(entries, ",", absl::PairFormatter("->"));
  }
  const Field& last = occurrences.back();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    HAPAX_CHECK(!field.is_repeated(), "the API has none; add it here when it has");
    std::string merged;
    for (const Field& part : occurrences) merged += part.content;
    return Join(Read(merged, *field.message_type(), unknown));
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    if (!field.is_repeated()) return last.content.empty() ? "" : absl::StrCat("'", absl::CHexEscape(last.content), "'");
    std::string list;
    for (const Field& element : occurrences) absl::StrAppend(&list, "'", absl::CHexEscape(element.content), "',");
    return list;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL && !field.is_repeated()) return last.varint == 0 ? "" : "true";
  HAPAX_CHECK(!field.is_repeated() && (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                                       field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM),
              "the API has no others; add them here when it has");
  const auto value = static_cast<int32_t>(last.varint);
  return value == 0 ? "" : absl::StrCat(value);
}

Texts Read(std::string_view bytes, const Descriptor& type, Unknown unknown) {
  std::map<int, std::vector<Field>> known;
  std::map<int, std::string> as_they_came;
  std::map<int, std::string> unknown_values;
  for (Reader reader(bytes); !reader.AtEnd();) {
    Field field = reader.Next();
    const FieldDescriptor* definition = type.FindFieldByNumber(field.number);
    as_they_came[field.number] += field.bytes;
    if (definition != nullptr && field.wire_type == (IsLengthDelimited(*definition) ? kLength : kVarint)) {
      known[field.number].push_back(std::move(field));
    } else if (!type.options().map_entry()) {  // Protobuf drops what an entry has besides key and value.
      unknown_values[field.number] += Reader::ValueOf(field);
    }
  }
  Texts texts;
  for (const auto& [number, occurrences] : known) {
    std::string text = TextOf(occurrences, *type.FindFieldByNumber(number), unknown);
    if (!text.empty()) texts[number] = std::move(text);
  }
  for (const auto& [number, values] : unknown_values) {
    texts[-number] = unknown == Unknown::kByBytes ? absl::CHexEscape(as_they_came[number]) : values;
  }
  return texts;
}

// Makes what the request leaves to a default explicit, or the reverse, as the API's definition has it.
void ApplyDefaults(const Descriptor& type, Texts& texts) {
  const auto number = [&](const char* name) { return type.FindFieldByName(name)->number(); };
  const auto fill = [&](int to, const std::string& value) {
    if (texts[to].empty()) texts[to] = value;
  };
  if (type.name() == "RunInstancesRequest") {
    const int min = number("min_count");
    const int max = number("max_count");
    fill(min, texts[max]);
    fill(max, texts[min]);
    fill(min, "1");
    fill(max, "1");
  } else if (type.name() == "AllocateHostsRequest") {
    fill(number("quantity"), "1");
    fill(number("auto_placement"), "'off'");
  } else if (type.name() == "CreateKeypairRequest") {
    fill(number("key_type"), "1");
  }
}

// A placement: tenancy is `host` where a host is named, else `default`.
std::string PlacementText(const std::vector<std::string>& parts, const Descriptor& type, Unknown unknown) {
  Texts texts = Read(absl::StrJoin(parts, ""), type, unknown);
  const int tenancy = type.FindFieldByName("tenancy")->number();
  const bool names_host = texts.contains(type.FindFieldByName("host_id")->number());
  if (texts[tenancy].empty()) texts[tenancy] = names_host ? "'host'" : "'default'";
  return Join(texts);
}

}  // namespace

std::map<int, std::string> MeaningOf(std::string_view bytes, const Descriptor& type, Unknown unknown) {
  Texts texts = Read(bytes, type, unknown);
  if (const FieldDescriptor* placement = type.FindFieldByName("placement")) {
    std::vector<std::string> parts;
    for (Reader reader(bytes); !reader.AtEnd();) {
      const Field field = reader.Next();
      if (field.number == placement->number() && field.wire_type == kLength) parts.push_back(field.content);
    }
    // A message that is not there means what an empty one means.
    texts[placement->number()] = PlacementText(parts, *placement->message_type(), unknown);
  }
  ApplyDefaults(type, texts);
  for (const char* const not_a_parameter : {"client_token", "region", "allow_missing", "allow_unchanged"}) {
    if (const FieldDescriptor* field = type.FindFieldByName(not_a_parameter)) texts.erase(field->number());
  }
  std::erase_if(texts, [](const auto& text) { return text.second.empty(); });
  return texts;
}

}  // namespace hapax
