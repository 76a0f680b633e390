#include "hapax/client/hapaxctl/output/text.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hapax::ctl {
namespace {

using Array = JsonValue::Array;

bool IsNested(const JsonValue& value) { return value.array() != nullptr || value.object() != nullptr; }
bool HasObject(const Array& list) {
  return std::any_of(list.begin(), list.end(), [](const JsonValue& it) { return it.object() != nullptr; });
}
bool HasList(const Array& list) {
  return std::any_of(list.begin(), list.end(), [](const JsonValue& it) { return it.array() != nullptr; });
}

// As the AWS CLI, which is in Python, writes them.
std::string ScalarText(const JsonValue& value) {
  if (const std::string* text = value.text()) return *text;
  if (const auto* number = value.number()) return number->text;
  if (const bool* boolean = value.boolean()) return *boolean ? "True" : "False";
  return "None";
}

class Writer {
 public:
  // `columns`: the names in all objects of the list that contains the value; null if no list does.
  void Write(const JsonValue& value, const std::string& name, const std::set<std::string>* columns = nullptr) {
    if (value.object() != nullptr) {
      WriteObject(value, name, columns);
    } else if (value.array() != nullptr) {
      WriteList(*value.array(), name);
    } else {
      absl::StrAppend(&text_, ScalarText(value), "\n");
    }
  }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  void WriteObject(const JsonValue& object, const std::string& name, const std::set<std::string>* columns) {
    std::set<std::string> own;
    std::set<std::string> nested;
    for (const JsonMember& member : *object.object()) {
      const bool is_column = columns != nullptr ? columns->contains(member.name) : !IsNested(member.value);
      (is_column ? own : nested).insert(member.name);
    }
    std::vector<std::string> cells;
    for (const std::string& column : columns != nullptr ? *columns : own) {
      const JsonValue* const value = object.Find(column);
      cells.push_back(value == nullptr ? "" : IsNested(*value) ? JsonText(*value) : ScalarText(*value));
    }
    if (!cells.empty() && !name.empty()) cells.insert(cells.begin(), absl::AsciiStrToUpper(name));
    if (!cells.empty()) absl::StrAppend(&text_, absl::StrJoin(cells, "\t"), "\n");
    for (const std::string& member : nested) Write(*object.Find(member), member);
  }

  void WriteList(const Array& list, const std::string& name) {
    if (HasObject(list)) {
      std::set<std::string> columns;
      for (const JsonValue& element : list) {
        if (element.object() == nullptr) continue;
        for (const JsonMember& member : *element.object()) {
          if (!IsNested(member.value)) columns.insert(member.name);
        }
      }
      for (const JsonValue& element : list) Write(element, name, &columns);
      return;
    }
    if (!HasList(list)) return WriteScalars(list, name);
    Array scalars;
    std::copy_if(list.begin(), list.end(), std::back_inserter(scalars),
                 [](const JsonValue& it) { return !IsNested(it); });
    WriteScalars(scalars, name);
    for (const JsonValue& element : list) {
      if (IsNested(element)) Write(element, name);
    }
  }

  void WriteScalars(const Array& scalars, const std::string& name) {
    if (scalars.empty()) return;
    std::vector<std::string> texts;
    for (const JsonValue& scalar : scalars) texts.push_back(ScalarText(scalar));
    if (name.empty()) {
      absl::StrAppend(&text_, absl::StrJoin(texts, "\t"), "\n");
      return;
    }
    for (const std::string& text : texts) absl::StrAppend(&text_, absl::AsciiStrToUpper(name), "\t", text, "\n");
  }

  std::string text_;
};

}  // namespace

std::string ToText(const JsonValue& value) {
  Writer writer;
  writer.Write(value, "");
  return writer.Take();
}

}  // namespace hapax::ctl
