#include "hapax/client/hapaxctl/output/table.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "hapax/proto/public_name.h"

namespace hapax::ctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Cell {
  std::string column;
  std::string text;  // Escaped.
};
using Row = std::vector<Cell>;

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      absl::StrAppendFormat(&escaped, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

std::string ColumnOf(const FieldDescriptor& field) { return absl::AsciiStrToUpper(field.name()); }

// `INSTANCE_STATE_SHUTTING_DOWN` of InstanceState becomes `shutting-down`.
std::string EnumText(const google::protobuf::EnumDescriptor& type, int number) {
  const auto* const value = type.FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat(number);
  const std::string& zero = type.value(0)->name();
  const absl::string_view prefix = absl::StripSuffix(zero, "UNSPECIFIED");
  if (prefix.size() == zero.size()) return value->name();
  if (value->number() == 0) return "";
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(value->name(), prefix)), {{"_", "-"}});
}

// The message in an Any; null if its type is unknown.
std::unique_ptr<Message> Unpacked(const google::protobuf::Any& any) {
  std::string type;
  if (!google::protobuf::Any::ParseAnyTypeUrl(any.type_url(), &type)) return nullptr;
  const auto* const descriptor = FindMessageType(*google::protobuf::DescriptorPool::generated_pool(), type);
  if (descriptor == nullptr) return nullptr;
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
  return message->ParseFromString(any.value()) ? std::move(message) : nullptr;
}

// Formats a message that counts as one value; returns false for another.
bool ValueText(const Message& message, std::string& text) {
  if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    const absl::Time at = absl::FromUnixSeconds(time->seconds()) + absl::Nanoseconds(time->nanos());
    text = absl::FormatTime("%Y-%m-%d %H:%M:%SZ", at, absl::UTCTimeZone());
    return true;
  }
  if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    text = absl::FormatDuration(absl::Seconds(duration->seconds()) + absl::Nanoseconds(duration->nanos()));
    return true;
  }
  return false;
}

std::string ScalarText(const Message& message, const FieldDescriptor& field, int index) {
  const auto& access = *message.GetReflection();
  const bool listed = field.is_repeated();
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return listed ? access.GetRepeatedStringReference(message, &field, index, &scratch)
                    : access.GetStringReference(message, &field, &scratch);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*field.enum_type(), listed ? access.GetRepeatedEnumValue(message, &field, index)
                                                 : access.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (listed ? access.GetRepeatedBool(message, &field, index) : access.GetBool(message, &field)) ? "true"
                                                                                                         : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(listed ? access.GetRepeatedInt32(message, &field, index) : access.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(listed ? access.GetRepeatedInt64(message, &field, index) : access.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(listed ? access.GetRepeatedUInt32(message, &field, index)
                                 : access.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(listed ? access.GetRepeatedUInt64(message, &field, index)
                                 : access.GetUInt64(message, &field));
    default:
      return "?";  // The API has no floating-point numbers.
  }
}

// The text for a message in a list within one cell: its first field.
std::string FirstFieldOf(const Message& message) {
  const FieldDescriptor& field = *message.GetDescriptor()->field(0);
  const bool plain = !field.is_repeated() && field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE;
  return plain ? ScalarText(message, field, 0) : message.GetDescriptor()->name();
}

// A list or a map as one cell.
std::string ListText(const Message& message, const FieldDescriptor& field) {
  const auto& access = *message.GetReflection();
  std::vector<std::string> texts;
  for (int i = 0; i < access.FieldSize(message, &field); ++i) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      texts.push_back(ScalarText(message, field, i));
      continue;
    }
    const Message& part = access.GetRepeatedMessage(message, &field, i);
    const auto& type = *part.GetDescriptor();
    texts.push_back(
        field.is_map() ? absl::StrCat(ScalarText(part, *type.map_key(), 0), "=", ScalarText(part, *type.map_value(), 0))
                       : FirstFieldOf(part));
  }
  if (field.is_map()) std::sort(texts.begin(), texts.end());
  return absl::StrJoin(texts, ",");
}

using Fields = std::vector<const FieldDescriptor*>;
void AddCells(const Message& message, const Fields& skipped, Row& row);

void AddMessageCells(const Message& message, const FieldDescriptor& field, Row& row) {
  std::string text;
  if (ValueText(message, text)) return row.push_back({ColumnOf(field), text});
  if (const auto* any = dynamic_cast<const google::protobuf::Any*>(&message)) {
    const std::unique_ptr<Message> inner = Unpacked(*any);
    if (inner == nullptr) return row.push_back({ColumnOf(field), Escaped(any->type_url())});
    return AddCells(*inner, {}, row);
  }
  AddCells(message, {}, row);
}

// The message's fields in order; of two with one name, the outer or earlier one.
void AddCells(const Message& message, const Fields& skipped, Row& row) {
  const auto& access = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (std::find(skipped.begin(), skipped.end(), &field) != skipped.end()) continue;
    if (field.has_presence() && !access.HasField(message, &field)) continue;
    if (!field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      AddMessageCells(access.GetMessage(message, &field), field, row);
      continue;
    }
    const std::string text = field.is_repeated() ? ListText(message, field) : ScalarText(message, field, 0);
    const std::string column = ColumnOf(field);
    const bool known = std::any_of(row.begin(), row.end(), [&](const Cell& cell) { return cell.column == column; });
    if (!known) row.push_back({column, text});
  }
}

// Counts characters, not bytes.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Padded(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, WidthOf(text)), ' ');
}

struct Column {
  std::string name;
  size_t width = 0;  // 0: empty in every row.
};

// The columns, in the order of the rows' fields.
std::vector<Column> ColumnsOf(const std::vector<Row>& rows) {
  std::vector<Column> columns;
  for (const Row& row : rows) {
    for (const Cell& cell : row) {
      auto column =
          std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == cell.column; });
      if (column == columns.end()) column = columns.insert(columns.end(), Column{.name = cell.column});
      if (cell.text.empty()) continue;
      column->width = std::max({column->width, column->name.size(), WidthOf(Escaped(cell.text))});
    }
  }
  const auto empty = [](const Column& column) { return column.width == 0; };
  columns.erase(std::remove_if(columns.begin(), columns.end(), empty), columns.end());
  return columns;
}

std::string AlignedRows(const std::vector<Row>& rows) {
  const std::vector<Column> columns = ColumnsOf(rows);
  if (columns.empty()) return "";
  std::string table;
  const auto add_line = [&](const auto& text_of) {
    std::string line;
    for (const Column& column : columns) absl::StrAppend(&line, Padded(text_of(column.name), column.width), "  ");
    absl::StrAppend(&table, absl::StripTrailingAsciiWhitespace(line), "\n");
  };
  add_line([](const std::string& name) { return name; });
  for (const Row& row : rows) {
    add_line([&row](const std::string& name) {
      const auto cell = std::find_if(row.begin(), row.end(), [&](const Cell& c) { return c.column == name; });
      return cell == row.end() || cell->text.empty() ? std::string("-") : Escaped(cell->text);
    });
  }
  return table;
}

std::string Lines(const Row& row) {
  size_t width = 0;
  for (const Cell& cell : row) width = std::max(width, cell.text.empty() ? 0 : cell.column.size());
  std::string lines;
  for (const Cell& cell : row) {
    if (cell.text.empty()) continue;
    const std::vector<std::string> texts = absl::StrSplit(absl::StripSuffix(cell.text, "\n"), '\n');
    if (texts.size() == 1) {
      absl::StrAppend(&lines, Padded(cell.column, width), "  ", Escaped(texts[0]), "\n");
      continue;
    }
    absl::StrAppend(&lines, cell.column, "\n");
    for (const std::string& text : texts) absl::StrAppend(&lines, Escaped(text), "\n");
  }
  return lines;
}

// The lists that give rows: the only one of the message's own, or those of messages when there are several.
Fields ListsOf(const Message& message) {
  Fields lists;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = message.GetDescriptor()->field(i);
    if (field->is_repeated() && !field->is_map()) lists.push_back(field);
  }
  if (lists.size() < 2) return lists;
  std::erase_if(lists,
                [](const FieldDescriptor* list) { return list->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE; });
  return lists;
}

std::vector<Row> RowsOf(const Message& message, const FieldDescriptor& list) {
  const auto& access = *message.GetReflection();
  std::vector<Row> rows(static_cast<size_t>(access.FieldSize(message, &list)));
  for (int i = 0; i < access.FieldSize(message, &list); ++i) {
    Row& row = rows[static_cast<size_t>(i)];
    if (list.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      AddCells(access.GetRepeatedMessage(message, &list, i), {}, row);
    } else {
      row.push_back({ColumnOf(list), ScalarText(message, list, i)});
    }
  }
  return rows;
}

}  // namespace

std::string ToTable(const Message& message) {
  const Fields lists = ListsOf(message);
  Row own;
  AddCells(message, lists, own);
  std::string text = Lines(own);
  for (const FieldDescriptor* const list : lists) {
    const std::string table = AlignedRows(RowsOf(message, *list));
    if (table.empty()) continue;
    const std::string name = lists.size() > 1 ? ColumnOf(*list) + "\n" : "";
    absl::StrAppend(&text, text.empty() ? "" : "\n", name, table);
  }
  return text;
}

}  // namespace hapax::ctl
