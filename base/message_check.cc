#include "hapax/base/message_check.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/stubs/common.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/wire_reader.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::IsStructurallyValidUTF8;
using google::protobuf::internal::WireFormatLite;

// The string and message fields of a message type.
class TextFields {
 public:
  struct Field {
    const FieldDescriptor* descriptor = nullptr;
    const TextFields* message = nullptr;  // Null for a string.
  };

  void Add(const Field& field) {
    const int number = field.descriptor->number();
    if (number >= kDirect) {
      others_[number] = field;
      return;
    }
    if (direct_.size() <= static_cast<size_t>(number)) direct_.resize(number + 1);
    direct_[number] = field;
  }
  // Null for a field that is neither.
  [[nodiscard]] const Field* Find(int number) const {
    if (number < kDirect) {
      const bool is_known = static_cast<size_t>(number) < direct_.size() && direct_[number].descriptor != nullptr;
      return is_known ? &direct_[number] : nullptr;
    }
    const auto found = others_.find(number);
    return found == others_.end() ? nullptr : &found->second;
  }

 private:
  // Fields below this number, which are most, are found without hashing: several rows are checked in each commit.
  static constexpr int kDirect = 64;
  std::vector<Field> direct_;  // By number.
  absl::flat_hash_map<int, Field> others_;
};

class TextFieldsCache {
 public:
  const TextFields& Of(const Descriptor& type) {
    absl::MutexLock lock(&mu_);
    return Find(type);
  }

 private:
  const TextFields& Find(const Descriptor& type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    std::unique_ptr<TextFields>& slot = types_[&type];
    if (slot != nullptr) return *slot;
    slot = std::make_unique<TextFields>();
    TextFields& fields = *slot;  // A reference to the heap object, since the recursion below may grow the map.
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = type.field(i);
      if (field->type() == FieldDescriptor::TYPE_STRING) fields.Add({.descriptor = field});
      if (field->message_type() == nullptr) continue;
      const TextFields& message = Find(*field->message_type());
      fields.Add({.descriptor = field, .message = &message});
    }
    return fields;
  }

  absl::Mutex mu_;
  absl::flat_hash_map<const Descriptor*, std::unique_ptr<TextFields>> types_ ABSL_GUARDED_BY(mu_);
};

const TextFields& TextFieldsOf(const Descriptor& type) {
  static auto* const cache = new TextFieldsCache;
  return cache->Of(type);
}

bool IsAscii(std::string_view bytes) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t word = 0;
  uint64_t all = 0;
  for (; bytes.size() >= sizeof(word); bytes.remove_prefix(sizeof(word))) {
    std::memcpy(&word, bytes.data(), sizeof(word));
    all |= word;
  }
  for (const char c : bytes) all |= static_cast<unsigned char>(c);
  return (all & kHighBits) == 0;
}

// Returns the path of the first string that is not UTF-8, in a message up to the end of `reader` or of its group.
// `fields` is null in a group with an unknown number.
std::optional<std::string> FirstInvalid(WireReader& reader, const TextFields* fields) {
  while (!reader.AtEnd()) {
    uint64_t tag = 0;
    uint64_t value = 0;
    std::string_view bytes;
    if (!reader.Varint(WireReader::kMaxTagBytes, &tag)) break;
    const int number = WireFormatLite::GetTagFieldNumber(static_cast<uint32_t>(tag));
    const TextFields::Field* const field = fields == nullptr ? nullptr : fields->Find(number);
    std::optional<std::string> within;
    switch (WireFormatLite::GetTagWireType(static_cast<uint32_t>(tag))) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (!reader.Varint(WireReader::kMaxVarintBytes, &value)) return std::nullopt;
        break;
      case WireFormatLite::WIRETYPE_FIXED64:
        if (!reader.Bytes(sizeof(uint64_t), &bytes)) return std::nullopt;
        break;
      case WireFormatLite::WIRETYPE_FIXED32:
        if (!reader.Bytes(sizeof(uint32_t), &bytes)) return std::nullopt;
        break;
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!reader.Varint(WireReader::kMaxVarintBytes, &value) || !reader.Bytes(value, &bytes)) return std::nullopt;
        if (field == nullptr) break;
        if (field->message != nullptr) {
          WireReader nested(bytes);
          within = FirstInvalid(nested, field->message);
        } else if (!IsAscii(bytes) && !IsStructurallyValidUTF8(bytes.data(), static_cast<int>(bytes.size()))) {
          return field->descriptor->name();
        }
        break;
      case WireFormatLite::WIRETYPE_START_GROUP:
        within = FirstInvalid(reader, field == nullptr ? nullptr : field->message);
        break;
      case WireFormatLite::WIRETYPE_END_GROUP:
        return std::nullopt;
    }
    if (within.has_value()) return absl::StrCat(field == nullptr ? "" : field->descriptor->name(), ".", *within);
  }
  return std::nullopt;
}

}  // namespace

absl::Status CheckComplete(const google::protobuf::Message& message) {
  if (message.IsInitialized()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(message.GetDescriptor()->full_name(), ": ", message.InitializationErrorString(), ": must be set"));
}

absl::Status CheckText(const google::protobuf::Message& message, std::string_view serialized) {
  if (IsAscii(serialized)) return absl::OkStatus();
  const Descriptor& type = *message.GetDescriptor();
  WireReader reader(serialized);
  const std::optional<std::string> invalid = FirstInvalid(reader, &TextFieldsOf(type));
  if (!invalid.has_value()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(type.full_name(), ": ", *invalid, ": must be UTF-8"));
}

absl::StatusOr<std::string> Serialize(const google::protobuf::Message& message) {
  HAPAX_RETURN_IF_ERROR(CheckComplete(message));
  std::string serialized = message.SerializeAsString();
  HAPAX_RETURN_IF_ERROR(CheckText(message, serialized));
  return serialized;
}

}  // namespace hapax
