#include "hapax/tests/interceptors/random_message.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "google/protobuf/unknown_field_set.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownFieldSet;

int Below(int limit, Random& random) { return std::uniform_int_distribution<int>(0, limit - 1)(random); }

template <typename Number>
Number RandomNumber(Random& random) {
  using Limits = std::numeric_limits<Number>;
  const Number kOften[] = {Number{0}, Number{1}, static_cast<Number>(-1), Limits::lowest(), Limits::max()};
  if (OnceIn(2, random)) return kOften[Below(std::size(kOften), random)];
  if constexpr (std::is_integral_v<Number>) {
    return static_cast<Number>(random() >> Below(64, random));
  } else {
    if (OnceIn(4, random)) return OnceIn(2, random) ? Number{-0.0} : Limits::infinity();
    return static_cast<Number>(std::ldexp(static_cast<double>(random()) - 1e19, Below(100, random) - 50));
  }
}

std::string RandomText(FieldDescriptor::Type type, Random& random) {
  static const char* const kPieces[] = {"a", "b", "\n", "\"", "\xC3\xA4", "\xE2\x82\xAC", "long long long long"};
  std::string text;
  for (int i = Below(6, random); i > 0; --i) text += kPieces[Below(std::size(kPieces), random)];
  if (type == FieldDescriptor::TYPE_BYTES) text += static_cast<char>(random());
  if (OnceIn(20, random)) text += std::string(300, 'x');  // Its length takes two bytes.
  return text;
}

// Sets, or appends to a list, a random value that is no message.
void DrawValue(const FieldDescriptor& field, Random& random, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const auto put = [&](auto set, auto add, auto value) {
    field.is_repeated() ? (reflection.*add)(message, &field, value) : (reflection.*set)(message, &field, value);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return put(&Reflection::SetInt32, &Reflection::AddInt32, RandomNumber<int32_t>(random));
    case FieldDescriptor::CPPTYPE_INT64:
      return put(&Reflection::SetInt64, &Reflection::AddInt64, RandomNumber<int64_t>(random));
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(&Reflection::SetUInt32, &Reflection::AddUInt32, RandomNumber<uint32_t>(random));
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(&Reflection::SetUInt64, &Reflection::AddUInt64, RandomNumber<uint64_t>(random));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return put(&Reflection::SetDouble, &Reflection::AddDouble, RandomNumber<double>(random));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return put(&Reflection::SetFloat, &Reflection::AddFloat, RandomNumber<float>(random));
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(&Reflection::SetBool, &Reflection::AddBool, OnceIn(2, random));
    case FieldDescriptor::CPPTYPE_ENUM:
      // Proto3 enums are open: numbers without a name are values as well.
      return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, Below(6, random) - 2);
    case FieldDescriptor::CPPTYPE_STRING:
      return put(&Reflection::SetString, &Reflection::AddString, RandomText(field.type(), random));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

// One more entry with a key that is not there yet.
void DrawMapEntry(const FieldDescriptor& field, int depth, Random& random, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const FieldDescriptor& key = *field.message_type()->map_key();
  const FieldDescriptor& value = *field.message_type()->map_value();
  Message* entry = reflection.AddMessage(message, &field);
  DrawValue(key, random, entry);
  if (value.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    FillAtRandom(depth - 1, random, entry->GetReflection()->MutableMessage(entry, &value));
  } else {
    DrawValue(value, random, entry);
  }
}

// Lets the map, which was changed as a list, drop all but one entry of a key.
void Normalize(Message* message) {
  const std::string bytes = message->SerializeAsString();
  message->Clear();
  message->ParseFromString(bytes);
}

void DrawField(const FieldDescriptor& field, int depth, Random& random, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (is_message && depth == 0) return;
  for (int i = field.is_repeated() ? 1 + Below(4, random) : 1; i > 0; --i) {
    if (field.is_map()) {
      DrawMapEntry(field, depth, random, message);
    } else if (!is_message) {
      DrawValue(field, random, message);
    } else {
      FillAtRandom(
          depth - 1, random,
          field.is_repeated() ? reflection.AddMessage(message, &field) : reflection.MutableMessage(message, &field));
    }
  }
}

// The messages in fields of `message` that are set; not those in maps.
std::vector<Message*> MessagesIn(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*message, &fields);
  std::vector<Message*> messages;
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      messages.push_back(reflection.MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      messages.push_back(reflection.MutableRepeatedMessage(message, field, i));
    }
  }
  return messages;
}

// Sets a singular field that is no message to another value than it has.
void SetOther(const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(message, &field, reflection.GetInt32(*message, &field) ^ 1);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(message, &field, reflection.GetInt64(*message, &field) ^ 1);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(message, &field, reflection.GetUInt32(*message, &field) ^ 1);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(message, &field, reflection.GetUInt64(*message, &field) ^ 1);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(message, &field, reflection.GetDouble(*message, &field) == 1.5 ? 2.5 : 1.5);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.SetFloat(message, &field, reflection.GetFloat(*message, &field) == 1.5F ? 2.5F : 1.5F);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(message, &field, !reflection.GetBool(*message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(message, &field, reflection.GetEnumValue(*message, &field) + 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(message, &field, reflection.GetString(*message, &field) + "x");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

}  // namespace

bool OnceIn(int times, Random& random) { return Below(times, random) == 0; }

void FillAtRandom(int depth, Random& random, Message* message) {
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    if (OnceIn(2, random)) DrawField(*message->GetDescriptor()->field(i), depth, random, message);
  }
  Normalize(message);
}

void AddUnknownFields(Random& random, Message* message) {
  constexpr int kFirstNumber = 100'000;  // No definition has it.
  UnknownFieldSet& unknown = *message->GetReflection()->MutableUnknownFields(message);
  for (int i = Below(4, random); i > 0; --i) {
    const int number = kFirstNumber + Below(3, random);
    switch (Below(5, random)) {
      case 0:
        unknown.AddVarint(number, RandomNumber<uint64_t>(random));
        break;
      case 1:
        unknown.AddFixed32(number, RandomNumber<uint32_t>(random));
        break;
      case 2:
        unknown.AddFixed64(number, RandomNumber<uint64_t>(random));
        break;
      case 3:
        unknown.AddLengthDelimited(number, RandomText(FieldDescriptor::TYPE_BYTES, random));
        break;
      default:
        unknown.AddGroup(number)->AddVarint(1 + Below(20, random), RandomNumber<uint64_t>(random));
    }
  }
  for (Message* nested : MessagesIn(message)) AddUnknownFields(random, nested);
}

void ChangeSomething(Random& random, Message* message) {
  const std::vector<Message*> nested = MessagesIn(message);
  if (!nested.empty() && !OnceIn(4, random)) return ChangeSomething(random, nested[Below(nested.size(), random)]);

  const auto& descriptor = *message->GetDescriptor();
  const FieldDescriptor& field = *descriptor.field(Below(descriptor.field_count(), random));
  const Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) {
    if (reflection.FieldSize(*message, &field) > 0) return reflection.RemoveLast(message, &field);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return DrawValue(field, random, message);
    reflection.AddMessage(message, &field);
    return;
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return SetOther(field, message);
  if (reflection.HasField(*message, &field)) return reflection.ClearField(message, &field);
  reflection.MutableMessage(message, &field);
}

}  // namespace hapax
