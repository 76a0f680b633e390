#include "hapax/server/doors/openstack/json_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "hapax/interceptors/refusal.h"

namespace hapax::openstack {

using google::protobuf::Value;

absl::StatusOr<JsonFields> JsonFields::Parse(std::string_view text) {
  if (text.size() > kMaxBodyBytes) {
    return RefuseParameter("body", absl::StrCat("must have at most ", kMaxBodyBytes, " bytes"));
  }
  JsonFields fields("", std::make_shared<absl::Status>());
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &fields.fields_);
  if (!parsed.ok()) return RefuseParameter("body", "must be an object of JSON, without a name given twice");
  return fields;
}

std::string JsonFields::PathOf(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

bool JsonFields::Has(std::string_view name) const {
  const auto found = fields_.fields().find(std::string(name));
  return found != fields_.fields().end() && found->second.kind_case() != Value::kNullValue;
}

std::vector<std::string> JsonFields::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : fields_.fields()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Value> JsonFields::Extract(std::string_view name) {
  const auto found = fields_.mutable_fields()->find(std::string(name));
  if (found == fields_.mutable_fields()->end()) return std::nullopt;
  Value value = std::move(found->second);
  fields_.mutable_fields()->erase(found);
  if (value.kind_case() == Value::kNullValue || value.kind_case() == Value::KIND_NOT_SET) return std::nullopt;
  return value;
}

std::string JsonFields::Text(std::string_view name) {
  std::optional<Value> value = Extract(name);
  if (!value.has_value()) return "";
  if (value->kind_case() == Value::kStringValue) return std::move(*value->mutable_string_value());
  Refuse(name, "must be a text");
  return "";
}

std::string JsonFields::RequiredText(std::string_view name) {
  std::string text = Text(name);
  if (text.empty()) RefuseMissing(name);
  return text;
}

int JsonFields::Count(std::string_view name) {
  const std::optional<Value> value = Extract(name);
  if (!value.has_value()) return 0;
  int count = 0;
  if (value->kind_case() == Value::kNumberValue) {
    const double number = value->number_value();
    if (number >= 1 && number <= std::numeric_limits<int>::max() && std::trunc(number) == number) {
      count = static_cast<int>(number);
    }
  } else if (value->kind_case() == Value::kStringValue && !absl::SimpleAtoi(value->string_value(), &count)) {
    count = 0;
  }
  if (count < 1) Refuse(name, "must be a whole number, 1 or more");
  return std::max(count, 0);
}

bool JsonFields::Bool(std::string_view name) {
  const std::optional<Value> value = Extract(name);
  if (!value.has_value()) return false;
  if (value->kind_case() == Value::kBoolValue) return value->bool_value();
  if (value->kind_case() == Value::kStringValue) {
    if (value->string_value() == "True" || value->string_value() == "true") return true;
    if (value->string_value() == "False" || value->string_value() == "false") return false;
  }
  Refuse(name, "must be true or false");
  return false;
}

JsonFields JsonFields::Object(std::string_view name) {
  JsonFields object(PathOf(name), error_);
  std::optional<Value> value = Extract(name);
  if (!value.has_value()) return object;
  if (value->kind_case() == Value::kStructValue) {
    object.fields_ = std::move(*value->mutable_struct_value());
  } else {
    Refuse(name, "must be an object");
  }
  return object;
}

JsonFields JsonFields::RequiredObject(std::string_view name) {
  if (!Has(name)) RefuseMissing(name);
  return Object(name);
}

std::vector<JsonFields> JsonFields::Objects(std::string_view name, size_t max) {
  std::vector<JsonFields> objects;
  std::optional<Value> value = Extract(name);
  if (!value.has_value()) return objects;
  if (value->kind_case() != Value::kListValue) {
    Refuse(name, "must be a list");
    return objects;
  }
  auto& values = *value->mutable_list_value()->mutable_values();
  if (static_cast<size_t>(values.size()) > max) Refuse(name, absl::StrCat("must have at most ", max, " items"));
  for (int i = 0; i < values.size() && error_->ok(); ++i) {
    const std::string item = absl::StrCat(std::string(name), "[", i, "]");
    if (values[i].kind_case() != Value::kStructValue) {
      Refuse(item, "must be an object");
    } else {
      objects.push_back(JsonFields(PathOf(item), error_));
      objects.back().fields_ = std::move(*values[i].mutable_struct_value());
    }
  }
  return objects;
}

std::map<std::string, std::string> JsonFields::Texts(std::string_view name, size_t max) {
  std::map<std::string, std::string> texts;
  JsonFields object = Object(name);
  auto& fields = *object.fields_.mutable_fields();
  if (fields.size() > max) Refuse(name, absl::StrCat("must have at most ", max, " entries"));
  for (auto& [key, value] : fields) {
    if (value.kind_case() != Value::kStringValue) object.Refuse(key, "must be a text");
    texts.emplace(key, std::move(*value.mutable_string_value()));
  }
  return texts;
}

bool JsonFields::TakeIfEmpty(std::string_view name) {
  const auto found = fields_.fields().find(std::string(name));
  if (found == fields_.fields().end()) return false;
  const Value& value = found->second;
  const bool is_empty = value.kind_case() == Value::kNullValue ||
                        (value.kind_case() == Value::kStructValue && value.struct_value().fields().empty());
  if (is_empty) Take(name);
  return is_empty;
}

bool JsonFields::TakeIfText(std::string_view name, std::string_view text) {
  const auto found = fields_.fields().find(std::string(name));
  if (found == fields_.fields().end() || found->second.kind_case() != Value::kStringValue ||
      found->second.string_value() != text) {
    return false;
  }
  Take(name);
  return true;
}

void JsonFields::Refuse(std::string_view name, std::string_view allowed) {
  if (error_->ok()) *error_ = RefuseParameter(PathOf(name), allowed);
}

absl::Status JsonFields::Finish() {
  for (const std::string& name : Names()) {
    if (Has(name)) Refuse(name, "is not supported by this server, so it must be left out");
  }
  return *error_;
}

}  // namespace hapax::openstack
