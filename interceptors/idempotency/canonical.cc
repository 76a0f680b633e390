#include "hapax/interceptors/idempotency/canonical.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/proto/public_name.h"

namespace hapax {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using google::protobuf::internal::WireFormatLite;

constexpr int kSingular = -1;
// Each level is parsed once more than the level around it.
constexpr int kMaxAnyLevels = 8;
constexpr char kTypePrefix[] = "type.googleapis.com/";

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

// Inserts the size of what `out` holds from `begin` on, as the shortest varint, at `begin`.
void InsertSize(size_t begin, std::string* out) {
  std::string size;
  AppendVarint(out->size() - begin, &size);
  out->insert(begin, size);
}

// `any_levels`, here and below: how many more levels of nested Anys are parsed.
void AppendMessage(const Message& message, int any_levels, std::string* out);

// Appends the value of a field, or of its element `index`, without a tag.
void AppendValue(const Message& message, const FieldDescriptor& field, int index, int any_levels, std::string* out) {
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
      const size_t begin = out->size();
      AppendMessage(
          singular ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index),
          any_levels, out);
      return InsertSize(begin, out);
    }
  }
}

void AppendTagged(const Message& message, const FieldDescriptor& field, int index, int any_levels, std::string* out) {
  AppendTag(field.number(), WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type())),
            out);
  AppendValue(message, field, index, any_levels, out);
}

// Appends key and value of each entry even when they are defaults, as serializers do.
void AppendMap(const Message& message, const FieldDescriptor& field, int any_levels, std::string* out) {
  const FieldDescriptor& key = *field.message_type()->map_key();
  const FieldDescriptor& value = *field.message_type()->map_value();
  struct Entry {
    size_t begin;
    size_t key_end;
    size_t end;
  };
  std::string encoded;  // All entries, unsorted.
  std::vector<Entry> entries;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    Entry& its = entries.emplace_back(Entry{.begin = encoded.size(), .key_end = 0, .end = 0});
    AppendTagged(entry, key, kSingular, any_levels, &encoded);
    its.key_end = encoded.size();
    AppendTagged(entry, value, kSingular, any_levels, &encoded);
    its.end = encoded.size();
  }
  const std::string_view all = encoded;
  const auto key_of = [&](const Entry& entry) { return all.substr(entry.begin, entry.key_end - entry.begin); };
  std::sort(entries.begin(), entries.end(),
            [&](const Entry& one, const Entry& other) { return key_of(one) < key_of(other); });
  for (const Entry& entry : entries) {
    AppendTag(field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
    AppendBytes(all.substr(entry.begin, entry.end - entry.begin), out);
  }
}

void AppendUnknown(const UnknownField& field, std::string* out) {
  switch (field.type()) {
    case UnknownField::TYPE_VARINT:
      AppendTag(field.number(), WireFormatLite::WIRETYPE_VARINT, out);
      return AppendVarint(field.varint(), out);
    case UnknownField::TYPE_FIXED32:
      AppendTag(field.number(), WireFormatLite::WIRETYPE_FIXED32, out);
      return AppendFixed(field.fixed32(), out);
    case UnknownField::TYPE_FIXED64:
      AppendTag(field.number(), WireFormatLite::WIRETYPE_FIXED64, out);
      return AppendFixed(field.fixed64(), out);
    case UnknownField::TYPE_LENGTH_DELIMITED:
      AppendTag(field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
      return AppendBytes(field.length_delimited(), out);
    case UnknownField::TYPE_GROUP:
      AppendTag(field.number(), WireFormatLite::WIRETYPE_START_GROUP, out);
      for (int i = 0; i < field.group().field_count(); ++i) AppendUnknown(field.group().field(i), out);
      return AppendTag(field.number(), WireFormatLite::WIRETYPE_END_GROUP, out);
  }
}

// The unknown fields of a message, ordered by number; those of one number keep their order of arrival.
std::vector<const UnknownField*> UnknownFieldsByNumber(const Message& message) {
  const UnknownFieldSet& unknown_fields = message.GetReflection()->GetUnknownFields(message);
  std::vector<const UnknownField*> sorted;
  sorted.reserve(static_cast<size_t>(unknown_fields.field_count()));
  for (int i = 0; i < unknown_fields.field_count(); ++i) sorted.push_back(&unknown_fields.field(i));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const UnknownField* one, const UnknownField* other) { return one->number() < other->number(); });
  return sorted;
}

void AppendField(const Message& message, const FieldDescriptor& field, int any_levels, std::string* out) {
  if (field.is_map()) return AppendMap(message, field, any_levels, out);
  if (!field.is_repeated()) return AppendTagged(message, field, kSingular, any_levels, out);
  const int size = message.GetReflection()->FieldSize(message, &field);
  if (!field.is_packable()) {
    for (int i = 0; i < size; ++i) AppendTagged(message, field, i, any_levels, out);
    return;
  }
  AppendTag(field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  const size_t begin = out->size();
  for (int i = 0; i < size; ++i) AppendValue(message, field, i, any_levels, out);
  InsertSize(begin, out);
}

void AppendFields(const Message& message, int any_levels, std::string* out) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  const std::vector<const UnknownField*> unknown = UnknownFieldsByNumber(message);
  auto next_unknown = unknown.begin();
  const auto append_unknown_below = [&](int number) {
    for (; next_unknown != unknown.end() && (*next_unknown)->number() < number; ++next_unknown) {
      AppendUnknown(**next_unknown, out);
    }
  };
  for (const FieldDescriptor* field : fields) {
    append_unknown_below(field->number());
    AppendField(message, *field, any_levels, out);
  }
  append_unknown_below(FieldDescriptor::kMaxNumber + 1);
}

// The Any with its value in canonical form; null when only its bytes can be compared.
std::unique_ptr<Message> MeaningOfAny(const Message& any, int any_levels) {
  const Descriptor& descriptor = *any.GetDescriptor();
  const Reflection& reflection = *any.GetReflection();
  const FieldDescriptor* const type_field = descriptor.FindFieldByNumber(Any::kTypeUrlFieldNumber);
  const FieldDescriptor* const value_field = descriptor.FindFieldByNumber(Any::kValueFieldNumber);
  std::string scratch;
  const std::string& url = reflection.GetStringReference(any, type_field, &scratch);
  const size_t slash = url.rfind('/');
  if (slash == std::string::npos) return nullptr;  // No type can be read from it.
  const Descriptor* const type = FindMessageType(*descriptor.file()->pool(), url.substr(slash + 1));
  // A map entry: the parser would drop its fields other than key and value.
  if (type == nullptr || type->options().map_entry()) return nullptr;
  const Message* const prototype = reflection.GetMessageFactory()->GetPrototype(type);
  if (prototype == nullptr) return nullptr;
  const std::unique_ptr<Message> value(prototype->New());
  if (!value->ParsePartialFromString(reflection.GetStringReference(any, value_field, &scratch))) return nullptr;
  std::string canonical;
  AppendMessage(*value, any_levels - 1, &canonical);

  std::unique_ptr<Message> meaning(any.New());
  reflection.MutableUnknownFields(meaning.get())->MergeFrom(reflection.GetUnknownFields(any));
  reflection.SetString(meaning.get(), type_field, kTypePrefix + PublicName(type->full_name()));
  reflection.SetString(meaning.get(), value_field, std::move(canonical));
  return meaning;
}

void AppendMessage(const Message& message, int any_levels, std::string* out) {
  const bool is_any = message.GetDescriptor()->well_known_type() == Descriptor::WELLKNOWNTYPE_ANY;
  const std::unique_ptr<Message> meaning = is_any && any_levels > 0 ? MeaningOfAny(message, any_levels) : nullptr;
  AppendFields(meaning == nullptr ? message : *meaning, any_levels, out);
}

}  // namespace

void AppendCanonicalField(const Message& message, const FieldDescriptor& field, std::string* out, AnyForm any_form) {
  AppendField(message, field, any_form == AnyForm::kMeaning ? kMaxAnyLevels : 0, out);
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
