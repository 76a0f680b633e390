#include "hapax/testing/same_row.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "hapax/storage/format.h"

namespace hapax {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kMaxDepth = 32;
constexpr size_t kRowHeaderBytes = 5;  // A version and a checksum (storage/format.h).

// The elements of a repeated field.
struct Elements {
  std::vector<std::string> texts;
  bool are_entries = true;  // Whether all look like entries of a map.
};

bool LooksLikeEntry(const UnknownFieldSet& message) {
  int counts[3] = {};
  for (int i = 0; i < message.field_count(); ++i) {
    const int number = message.field(i).number();
    if (number > 2 || ++counts[number] > 1) return false;
  }
  return true;
}

std::string InMapOrder(const UnknownFieldSet& message, int depth);

// Returns a text for the element that does not depend on the order of map entries.
std::string Text(const UnknownField& field, int depth, bool* is_entry) {
  *is_entry = false;
  switch (field.type()) {
    case UnknownField::TYPE_VARINT:
      return absl::StrCat("v", field.varint());
    case UnknownField::TYPE_FIXED32:
      return absl::StrCat("f", field.fixed32());
    case UnknownField::TYPE_FIXED64:
      return absl::StrCat("d", field.fixed64());
    case UnknownField::TYPE_GROUP:
      if (depth == 0) {
        std::string bytes;
        field.group().SerializeToString(&bytes);
        return absl::StrCat("g", bytes);
      }
      return absl::StrCat("g", InMapOrder(field.group(), depth - 1));
    case UnknownField::TYPE_LENGTH_DELIMITED:
      break;
  }
  const std::string& bytes = field.length_delimited();
  UnknownFieldSet message;
  if (depth == 0 || bytes.empty() || !message.ParseFromString(bytes)) return absl::StrCat("b", bytes);
  *is_entry = LooksLikeEntry(message);
  return absl::StrCat("m", InMapOrder(message, depth - 1));
}

std::string InMapOrder(const UnknownFieldSet& message, int depth) {
  std::map<int, Elements> fields;
  for (int i = 0; i < message.field_count(); ++i) {
    Elements& elements = fields[message.field(i).number()];
    bool is_entry = false;
    elements.texts.push_back(Text(message.field(i), depth, &is_entry));
    elements.are_entries = elements.are_entries && is_entry;
  }
  std::string text;
  for (auto& [number, elements] : fields) {
    if (elements.are_entries) std::sort(elements.texts.begin(), elements.texts.end());
    for (const std::string& element : elements.texts) absl::StrAppend(&text, number, ":", element.size(), ":", element);
  }
  return text;
}

}  // namespace

bool IsSameRowValue(std::string_view first, std::string_view second) {
  if (first == second) return true;
  if (first.size() != second.size()) return false;
  if (IsRowValue(first) && IsRowValue(second)) {
    first.remove_prefix(kRowHeaderBytes);
    second.remove_prefix(kRowHeaderBytes);
  }
  UnknownFieldSet first_message;
  UnknownFieldSet second_message;
  return first_message.ParseFromArray(first.data(), static_cast<int>(first.size())) &&
         second_message.ParseFromArray(second.data(), static_cast<int>(second.size())) &&
         InMapOrder(first_message, kMaxDepth) == InMapOrder(second_message, kMaxDepth);
}

}  // namespace hapax
