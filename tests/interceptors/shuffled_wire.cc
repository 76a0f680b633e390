#include "hapax/tests/interceptors/shuffled_wire.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "google/protobuf/unknown_field_set.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Encoded fields whose order among themselves counts.
using Sequence = std::vector<std::string>;

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kDelimited = 2;
constexpr int kStartGroup = 3;
constexpr int kEndGroup = 4;
constexpr int kFixed32 = 5;

// `longest`: the bytes that a decoder takes at the most.
std::string Varint(uint64_t value, size_t longest, Random& random) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
  while (bytes.size() < longest && OnceIn(6, random)) {
    bytes.back() = static_cast<char>(bytes.back() | 0x80);
    bytes += '\0';
  }
  return bytes;
}

std::string Tag(int number, int wire_type, Random& random) {
  return Varint(static_cast<uint64_t>(number) << 3 | wire_type, 5, random);
}

std::string Delimited(const std::string& content, Random& random) {
  return Varint(content.size(), 5, random) + content;
}

template <typename Number>
std::string Fixed(Number number) {
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

uint64_t ZigZag(int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); }

int WireTypeOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return kFixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return kDelimited;
    default:
      return kVarint;
  }
}

// The value, without a tag, of the field; of its element `index` when it is a list.
std::string Value(const Message& message, const FieldDescriptor& field, int index, Random& random) {
  const Reflection& r = *message.GetReflection();
  const auto get = [&](auto singular, auto repeated) {
    return field.is_repeated() ? (r.*repeated)(message, &field, index) : (r.*singular)(message, &field);
  };
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
      return Fixed(get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble));
    case FieldDescriptor::TYPE_FLOAT:
      return Fixed(get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
    case FieldDescriptor::TYPE_FIXED64:
      return Fixed(get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64));
    case FieldDescriptor::TYPE_SFIXED64:
      return Fixed(get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
    case FieldDescriptor::TYPE_FIXED32:
      return Fixed(get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
    case FieldDescriptor::TYPE_SFIXED32:
      return Fixed(get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
    case FieldDescriptor::TYPE_INT64:
      return Varint(static_cast<uint64_t>(get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64)), 10, random);
    case FieldDescriptor::TYPE_UINT64:
      return Varint(get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), 10, random);
    case FieldDescriptor::TYPE_INT32: {
      const int64_t value = get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
      return Varint(static_cast<uint64_t>(value), 10, random);
    }
    case FieldDescriptor::TYPE_UINT32:
      return Varint(get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), 10, random);
    case FieldDescriptor::TYPE_SINT32:
      return Varint(ZigZag(get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32)), 10, random);
    case FieldDescriptor::TYPE_SINT64:
      return Varint(ZigZag(get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64)), 10, random);
    case FieldDescriptor::TYPE_BOOL:
      return Varint(get(&Reflection::GetBool, &Reflection::GetRepeatedBool), 10, random);
    case FieldDescriptor::TYPE_ENUM: {
      const int64_t value = get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
      return Varint(static_cast<uint64_t>(value), 10, random);
    }
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
      return Delimited(get(&Reflection::GetString, &Reflection::GetRepeatedString), random);
    case FieldDescriptor::TYPE_MESSAGE:
      return Delimited(ShuffledWire(field.is_repeated() ? r.GetRepeatedMessage(message, &field, index)
                                                        : r.GetMessage(message, &field),
                                    random),
                       random);
    case FieldDescriptor::TYPE_GROUP:
      break;
  }
  return "";
}

std::string Tagged(const Message& message, const FieldDescriptor& field, int index, Random& random) {
  return Tag(field.number(), WireTypeOf(field), random) + Value(message, field, index, random);
}

// Puts the sequences into one, at random, each in its own order.
Sequence Riffle(std::vector<Sequence> sequences, Random& random) {
  std::vector<size_t> turns;
  for (size_t i = 0; i < sequences.size(); ++i) turns.insert(turns.end(), sequences[i].size(), i);
  std::shuffle(turns.begin(), turns.end(), random);
  std::vector<size_t> taken(sequences.size());
  Sequence riffled;
  for (const size_t turn : turns) riffled.push_back(std::move(sequences[turn][taken[turn]++]));
  return riffled;
}

std::string Join(Sequence::const_iterator begin, Sequence::const_iterator end) {
  std::string joined;
  for (; begin != end; ++begin) joined += *begin;
  return joined;
}

Sequence SequenceOfMessage(const Message& message, Random& random);

// A list in runs, some packed.
Sequence SequenceOfList(const Message& message, const FieldDescriptor& field, Random& random) {
  const int size = message.GetReflection()->FieldSize(message, &field);
  Sequence sequence;
  for (int i = 0; i < size;) {
    if (!field.is_packable() || OnceIn(3, random)) {
      sequence.push_back(Tagged(message, field, i++, random));
      continue;
    }
    std::string packed;
    do {
      packed += Value(message, field, i++, random);
    } while (i < size && !OnceIn(4, random));
    sequence.push_back(Tag(field.number(), kDelimited, random) + Delimited(packed, random));
  }
  return sequence;
}

// Whether the field, of a map entry, has its type's default.
bool IsDefault(const Message& entry, const FieldDescriptor& field) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return false;
  const std::unique_ptr<Message> unset(entry.New());
  Random one(0);
  Random same(0);
  return Value(entry, field, 0, one) == Value(*unset, field, 0, same);
}

// Entries in any order, and key and value too; a default key or value may be left out.
Sequence SequenceOfMap(const Message& message, const FieldDescriptor& field, Random& random) {
  std::vector<Sequence> entries;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    std::vector<Sequence> parts;
    for (const FieldDescriptor* part : {field.message_type()->map_key(), field.message_type()->map_value()}) {
      if (IsDefault(entry, *part) && OnceIn(2, random)) continue;
      parts.push_back({Tagged(entry, *part, 0, random)});
    }
    const Sequence riffled = Riffle(std::move(parts), random);
    entries.push_back(
        {Tag(field.number(), kDelimited, random) + Delimited(Join(riffled.begin(), riffled.end()), random)});
  }
  return Riffle(std::move(entries), random);
}

// Perhaps other values first, which the last one replaces; a message perhaps in two parts, which merge.
Sequence SequenceOfSingular(const Message& message, const FieldDescriptor& field, Random& random) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Sequence content = SequenceOfMessage(message.GetReflection()->GetMessage(message, &field), random);
    const auto cut = content.begin() + static_cast<ptrdiff_t>(random() % (content.size() + 1));
    Sequence parts;
    if (OnceIn(2, random)) {
      parts.push_back(Tag(field.number(), kDelimited, random) + Delimited(Join(content.begin(), cut), random));
      parts.push_back(Tag(field.number(), kDelimited, random) + Delimited(Join(cut, content.end()), random));
    } else {
      parts.push_back(Tag(field.number(), kDelimited, random) +
                      Delimited(Join(content.begin(), content.end()), random));
    }
    return parts;
  }
  Sequence values;
  if (OnceIn(4, random)) {
    std::unique_ptr<Message> other(message.New());
    FillAtRandom(/*depth=*/0, random, other.get());
    values.push_back(Tagged(*other, field, 0, random));
  }
  values.push_back(Tagged(message, field, 0, random));
  return values;
}

// A oneof: perhaps another member that is no message first.
Sequence SequenceOfOneof(const Message& message, const FieldDescriptor& field, Random& random) {
  Sequence members;
  const auto& oneof = *field.containing_oneof();
  const FieldDescriptor& other = *oneof.field(static_cast<int>(random() % oneof.field_count()));
  if (&other != &field && other.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    members.push_back(Tagged(message, other, 0, random));
  }
  for (std::string& value : SequenceOfSingular(message, field, random)) members.push_back(std::move(value));
  return members;
}

std::string UnknownValue(const UnknownField& field, Random& random) {
  switch (field.type()) {
    case UnknownField::TYPE_VARINT:
      return Tag(field.number(), kVarint, random) + Varint(field.varint(), 10, random);
    case UnknownField::TYPE_FIXED32:
      return Tag(field.number(), kFixed32, random) + Fixed(field.fixed32());
    case UnknownField::TYPE_FIXED64:
      return Tag(field.number(), kFixed64, random) + Fixed(field.fixed64());
    case UnknownField::TYPE_LENGTH_DELIMITED:
      return Tag(field.number(), kDelimited, random) + Delimited(field.length_delimited(), random);
    case UnknownField::TYPE_GROUP: {
      std::string content;
      for (int i = 0; i < field.group().field_count(); ++i) content += UnknownValue(field.group().field(i), random);
      return Tag(field.number(), kStartGroup, random) + content + Tag(field.number(), kEndGroup, random);
    }
  }
  return "";
}

Sequence SequenceOfMessage(const Message& message, Random& random) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<Sequence> sequences;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_map()) {
      sequences.push_back(SequenceOfMap(message, field, random));
    } else if (field.is_repeated()) {
      sequences.push_back(SequenceOfList(message, field, random));
    } else if (reflection.HasField(message, &field)) {
      sequences.push_back(field.real_containing_oneof() != nullptr ? SequenceOfOneof(message, field, random)
                                                                   : SequenceOfSingular(message, field, random));
    } else if (!field.has_presence() && OnceIn(3, random)) {
      sequences.push_back({Tagged(message, field, 0, random)});  // Its default.
    }
  }
  std::map<int, Sequence> unknown;
  const UnknownFieldSet& unknown_fields = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown_fields.field_count(); ++i) {
    unknown[unknown_fields.field(i).number()].push_back(UnknownValue(unknown_fields.field(i), random));
  }
  for (auto& [number, sequence] : unknown) sequences.push_back(std::move(sequence));
  return Riffle(std::move(sequences), random);
}

}  // namespace

std::string ShuffledWire(const Message& message, Random& random) {
  const Sequence fields = SequenceOfMessage(message, random);
  return Join(fields.begin(), fields.end());
}

}  // namespace hapax
