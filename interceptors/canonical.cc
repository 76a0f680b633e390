#include "hapax/interceptors/canonical.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownFieldSet;
using google::protobuf::internal::WireFormatLite;

constexpr int kSingular = -1;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

template <typename Bits>
void AppendFixed(Bits value, std::string* out) {
  for (size_t i = 0; i < sizeof(Bits); ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void AppendTag(int number, WireFormatLite::WireType type, std::string* out) {
  AppendVarint(static_cast<uint64_t>(number) << 3 | type, out);
}

void AppendBytes(std::string_view bytes, std::string* out) {
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

void AppendMessage(const Message& message, std::string* out);

// Appends the value, without a tag, of a field, or of its element `index`.
void AppendValue(const Message& message, const FieldDescriptor& field, int index, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  const bool singular = index == kSingular;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const int32_t value =
          singular ? reflection.GetInt32(message, &field) : reflection.GetRepeatedInt32(message, &field, index);
      if (field.type() == FieldDescriptor::TYPE_SINT32) return AppendVarint(WireFormatLite::ZigZagEncode32(value), out);
      if (field.type() == FieldDescriptor::TYPE_SFIXED32) return AppendFixed(static_cast<uint32_t>(value), out);
      return AppendVarint(static_cast<uint64_t>(static_cast<int64_t>(value)), out);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value =
          singular ? reflection.GetInt64(message, &field) : reflection.GetRepeatedInt64(message, &field, index);
      if (field.type() == FieldDescriptor::TYPE_SINT64) return AppendVarint(WireFormatLite::ZigZagEncode64(value), out);
      if (field.type() == FieldDescriptor::TYPE_SFIXED64) return AppendFixed(static_cast<uint64_t>(value), out);
      return AppendVarint(static_cast<uint64_t>(value), out);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const uint32_t value =
          singular ? reflection.GetUInt32(message, &field) : reflection.GetRepeatedUInt32(message, &field, index);
      if (field.type() == FieldDescriptor::TYPE_FIXED32) return AppendFixed(value, out);
      return AppendVarint(value, out);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t value =
          singular ? reflection.GetUInt64(message, &field) : reflection.GetRepeatedUInt64(message, &field, index);
      if (field.type() == FieldDescriptor::TYPE_FIXED64) return AppendFixed(value, out);
      return AppendVarint(value, out);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return AppendFixed(std::bit_cast<uint64_t>(singular ? reflection.GetDouble(message, &field)
                                                          : reflection.GetRepeatedDouble(message, &field, index)),
                         out);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return AppendFixed(std::bit_cast<uint32_t>(singular ? reflection.GetFloat(message, &field)
                                                          : reflection.GetRepeatedFloat(message, &field, index)),
                         out);
    case FieldDescriptor::CPPTYPE_BOOL:
      return AppendVarint(
          singular ? reflection.GetBool(message, &field) : reflection.GetRepeatedBool(message, &field, index), out);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value =
          singular ? reflection.GetEnumValue(message, &field) : reflection.GetRepeatedEnumValue(message, &field, index);
      return AppendVarint(static_cast<uint64_t>(static_cast<int64_t>(value)), out);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return AppendBytes(singular ? reflection.GetStringReference(message, &field, &scratch)
                                  : reflection.GetRepeatedStringReference(message, &field, index, &scratch),
                         out);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::string content;
      AppendMessage(
          singular ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index),
          &content);
      return AppendBytes(content, out);
    }
  }
}

void AppendTagged(const Message& message, const FieldDescriptor& field, int index, std::string* out) {
  AppendTag(field.number(), WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type())),
            out);
  AppendValue(message, field, index, out);
}

// Key and value both, whether they are defaults or not: that is how serializers send a map entry.
void AppendMap(const Message& message, const FieldDescriptor& field, std::string* out) {
  const FieldDescriptor& key = *field.message_type()->map_key();
  const FieldDescriptor& value = *field.message_type()->map_value();
  std::map<std::string, std::string> entries;  // By encoded key.
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    std::string encoded_key;
    AppendTagged(entry, key, kSingular, &encoded_key);
    std::string encoded = encoded_key;
    AppendTagged(entry, value, kSingular, &encoded);
    entries[std::move(encoded_key)] = std::move(encoded);
  }
  for (const auto& [encoded_key, encoded] : entries) {
    AppendTag(field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
    AppendBytes(encoded, out);
  }
}

void AppendMessage(const Message& message, std::string* out) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::map<int, UnknownFieldSet> unknown;
  const UnknownFieldSet& unknown_fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown_fields.field_count(); ++i) {
    unknown[unknown_fields.field(i).number()].AddField(unknown_fields.field(i));
  }
  auto next_unknown = unknown.begin();
  const auto append_unknown_below = [&](int number) {
    for (; next_unknown != unknown.end() && next_unknown->first < number; ++next_unknown) {
      std::string bytes;
      next_unknown->second.SerializeToString(&bytes);
      *out += bytes;
    }
  };
  for (const FieldDescriptor* field : fields) {
    append_unknown_below(field->number());
    AppendCanonicalField(message, *field, out);
  }
  append_unknown_below(FieldDescriptor::kMaxNumber + 1);
}

}  // namespace

void AppendCanonicalField(const Message& message, const FieldDescriptor& field, std::string* out) {
  if (field.is_map()) return AppendMap(message, field, out);
  if (!field.is_repeated()) return AppendTagged(message, field, kSingular, out);
  const int size = message.GetReflection()->FieldSize(message, &field);
  if (!field.is_packable()) {
    for (int i = 0; i < size; ++i) AppendTagged(message, field, i, out);
    return;
  }
  std::string packed;
  for (int i = 0; i < size; ++i) AppendValue(message, field, i, &packed);
  AppendTag(field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  AppendBytes(packed, out);
}

bool ForEachWireField(std::string_view bytes, absl::FunctionRef<void(int number, std::string_view field)> visit) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  while (true) {
    const int begin = stream.CurrentPosition();
    const uint32_t tag = stream.ReadTag();
    if (tag == 0) return stream.ConsumedEntireMessage();
    if (!WireFormatLite::SkipField(&stream, tag)) return false;
    visit(WireFormatLite::GetTagFieldNumber(tag), bytes.substr(begin, stream.CurrentPosition() - begin));
  }
}

}  // namespace hapax
