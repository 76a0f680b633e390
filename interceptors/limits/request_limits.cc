#include "hapax/interceptors/limits/request_limits.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/base/wire_reader.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

// Fields of google.protobuf.Any.
constexpr int kAnyType = 1;
constexpr int kAnyValue = 2;

// One pass over a request.
class Count {
 public:
  explicit Count(const RequestLimits& limits) : limits_(limits) {}

  // Counts a message to the end of `reader`, or of its group. `message` is null when its type is unknown. Returns false
  // when the message is malformed or exceeds a limit.
  [[nodiscard]] bool Message(WireReader& reader, const Descriptor* message, int64_t depth, int group = 0) {
    if (depth > limits_.max_depth) return Exceeds("nested messages, one within another", limits_.max_depth);
    const bool is_any = message != nullptr && message->well_known_type() == Descriptor::WELLKNOWNTYPE_ANY;
    std::string_view any_type;
    std::string_view any_value;
    while (!reader.AtEnd()) {
      uint64_t tag = 0;
      if (!reader.Varint(WireReader::kMaxTagBytes, &tag)) return false;
      const auto type = WireFormatLite::GetTagWireType(static_cast<uint32_t>(tag));
      const int number = WireFormatLite::GetTagFieldNumber(static_cast<uint32_t>(tag));
      if (number == 0) return false;
      if (type == WireFormatLite::WIRETYPE_END_GROUP) return number == group;
      const FieldDescriptor* field = message == nullptr ? nullptr : FieldOf(*message, number);
      std::string_view content;
      if (!Field(reader, number, type, field, depth, &content)) return false;
      if (is_any && number == kAnyType) any_type = content;
      if (is_any && number == kAnyValue) any_value = content;
    }
    return group == 0 && (!is_any || Any(any_type, any_value, *message, depth));
  }

  [[nodiscard]] const std::string& exceeded() const { return exceeded_; }

 private:
  static const FieldDescriptor* FieldOf(const Descriptor& message, int number) {
    const FieldDescriptor* field = message.FindFieldByNumber(number);
    if (field != nullptr || !message.IsExtensionNumber(number)) return field;
    return message.file()->pool()->FindExtensionByNumber(&message, number);
  }
  bool Exceeds(std::string_view what, int64_t limit) {
    exceeded_ = absl::StrCat("must have at most ", limit, " ", absl::string_view(what.data(), what.size()));
    return false;
  }
  bool Add(int64_t elements) {
    elements_ += elements;
    return elements_ <= limits_.max_elements || Exceeds("fields and elements of lists", limits_.max_elements);
  }

  // `content`: the bytes of a length-delimited field, set by Field.
  bool Field(WireReader& reader, int number, WireFormatLite::WireType type, const FieldDescriptor* field, int64_t depth,
             std::string_view* content) {
    const bool packed = field != nullptr && field->is_packable() && type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    const bool known =
        field != nullptr &&
        (packed || type == WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field->type())));
    if (!known && ++unknown_ > limits_.max_unknown_fields) {
      return Exceeds("fields that this server does not know", limits_.max_unknown_fields);
    }
    if (!packed && !Add(1)) return false;
    uint64_t value = 0;
    switch (type) {
      case WireFormatLite::WIRETYPE_VARINT:
        return reader.Varint(WireReader::kMaxVarintBytes, &value);
      case WireFormatLite::WIRETYPE_FIXED64:
        return reader.Bytes(sizeof(uint64_t), content);
      case WireFormatLite::WIRETYPE_FIXED32:
        return reader.Bytes(sizeof(uint32_t), content);
      case WireFormatLite::WIRETYPE_START_GROUP:
        return Message(reader, known ? field->message_type() : nullptr, depth + 1, number);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!reader.Varint(WireReader::kMaxVarintBytes, &value) || !reader.Bytes(value, content)) return false;
        if (packed) return Add(PackedElements(*field, *content));
        return !known || field->message_type() == nullptr || Nested(*field, *content, depth);
      case WireFormatLite::WIRETYPE_END_GROUP:
        break;  // Message handles it.
    }
    return false;
  }

  bool Nested(const FieldDescriptor& field, std::string_view content, int64_t depth) {
    if (field.is_map() && ++map_entries_ > limits_.max_map_entries) {
      return Exceeds("map entries", limits_.max_map_entries);
    }
    WireReader nested(content);
    return Message(nested, field.message_type(), field.is_map() ? depth : depth + 1);
  }

  // Malformed bytes are not an error: the parser takes them as a string.
  bool Any(std::string_view type, std::string_view value, const Descriptor& any, int64_t depth) {
    const std::string name(type.substr(type.rfind('/') + 1));
    const Descriptor* message = name.empty() ? nullptr : FindMessageType(*any.file()->pool(), name);
    if (message == nullptr) return true;
    WireReader nested(value);
    return Message(nested, message, depth + 1) || exceeded_.empty();
  }

  static int64_t PackedElements(const FieldDescriptor& field, std::string_view content) {
    switch (WireFormatLite::WireTypeForFieldType(static_cast<WireFormatLite::FieldType>(field.type()))) {
      case WireFormatLite::WIRETYPE_FIXED64:
        return static_cast<int64_t>(content.size() / sizeof(uint64_t));
      case WireFormatLite::WIRETYPE_FIXED32:
        return static_cast<int64_t>(content.size() / sizeof(uint32_t));
      default:  // Varints: only the last byte of each has the high bit clear.
        return std::count_if(content.begin(), content.end(), [](char c) { return (c & 0x80) == 0; });
    }
  }

  const RequestLimits& limits_;
  int64_t unknown_ = 0;
  int64_t map_entries_ = 0;
  int64_t elements_ = 0;
  std::string exceeded_;
};

}  // namespace

RequestLimits RequestLimits::NarrowedBy(const idempotency::v1::RequestLimits& rule) const {
  RequestLimits narrowed = *this;
  const auto narrow = [](bool is_set, uint32_t limit, int64_t* narrower) {
    if (is_set) *narrower = std::min<int64_t>(*narrower, limit);
  };
  narrow(rule.has_max_unknown_fields(), rule.max_unknown_fields(), &narrowed.max_unknown_fields);
  narrow(rule.has_max_map_entries(), rule.max_map_entries(), &narrowed.max_map_entries);
  narrow(rule.has_max_elements(), rule.max_elements(), &narrowed.max_elements);
  narrow(rule.has_max_depth(), rule.max_depth(), &narrowed.max_depth);
  return narrowed;
}

absl::Status CheckRequest(std::string_view bytes, const Descriptor& message, const RequestLimits& limits) {
  Count count(limits);
  WireReader reader(bytes);
  if (count.Message(reader, &message, /*depth=*/0)) return absl::OkStatus();
  if (!count.exceeded().empty()) return RefuseParameter("request", count.exceeded());
  return RefuseParameter("request",
                         "must be a serialized " + PublicName(message.full_name()) + " with strings in UTF-8");
}

}  // namespace hapax
