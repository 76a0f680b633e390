#include "hapax/client/hapaxctl/flags/parameters.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/flags/shorthand.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {
namespace {

using compute::v1::Filter;
using compute::v1::Placement;

constexpr size_t kMaxTokenLength = 64;
constexpr size_t kMaxTenantLength = 64;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Wrong(std::string_view allowed, std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("must be ", View(allowed), ", not \"", View(text), "\""));
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
}

absl::Status UnknownKey(const std::string& key, std::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is none of its keys: ", View(allowed)));
}

absl::Status AddTag(const JsonValue& tag, Tags& tags) {
  absl::Status form = absl::InvalidArgumentError("a tag is {Key=...,Value=...}");
  if (tag.object() == nullptr) return form;
  const std::string* key = nullptr;
  std::string value;
  for (const auto& [name, part] : *tag.object()) {
    if (name != "Key" && name != "Value") return UnknownKey(name, "Key, Value");
    if (part.text() == nullptr) return form;
    if (name == "Key") key = part.text();
    if (name == "Value") value = *part.text();
  }
  if (key == nullptr) return form;
  if (!tags.insert({*key, value}).second) {
    return absl::InvalidArgumentError(absl::StrCat("the tag \"", *key, "\" is given twice"));
  }
  return absl::OkStatus();
}

// The elements of a list; a single value counts as a list of one.
std::vector<JsonValue> PartsOf(const JsonValue& value) {
  return value.array() != nullptr ? *value.array() : JsonValue::Array{value};
}

// Adds the tags of one specification.
absl::Status AddTags(const JsonValue& specification, std::string_view resource_type, Tags& tags) {
  const JsonValue type{std::string(resource_type)};
  absl::Status form = absl::InvalidArgumentError(absl::StrCat("ResourceType=", View(resource_type),
                                                              " is missing: ResourceType=", View(resource_type),
                                                              ",Tags=[{Key=...,Value=...},...]"));
  if (specification.object() == nullptr) return form;
  bool typed = false;
  for (const auto& [name, part] : *specification.object()) {
    if (name == "ResourceType") {
      if (part != type) {
        return Wrong(absl::StrCat("ResourceType=", View(resource_type)),
                     absl::StrCat("ResourceType=", part.text() != nullptr ? *part.text() : JsonText(part)));
      }
      typed = true;
    } else if (name == "Tags") {
      for (const JsonValue& tag : PartsOf(part)) {
        if (absl::Status status = AddTag(tag, tags); !status.ok()) return status;
      }
    } else {
      return UnknownKey(name, "ResourceType, Tags");
    }
  }
  return typed ? absl::OkStatus() : form;
}

absl::StatusOr<Filter> FilterOf(const JsonValue& structure) {
  absl::Status form = absl::InvalidArgumentError("a filter is Name=...,Values=...,...");
  if (structure.object() == nullptr) return form;
  Filter filter;
  for (const auto& [name, part] : *structure.object()) {
    if (name == "Name" && part.text() != nullptr) {
      filter.set_name(*part.text());
    } else if (name == "Values") {
      for (const JsonValue& value : PartsOf(part)) {
        if (value.text() == nullptr) return form;
        filter.add_values(*value.text());
      }
    } else {
      return UnknownKey(name, "Name (one value), Values");
    }
  }
  if (filter.name().empty() || filter.values().empty()) return form;
  return filter;
}

}  // namespace

absl::StatusOr<CountRange> ParseCount(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view max = colon == std::string_view::npos ? text : text.substr(colon + 1);
  CountRange range;
  const bool numbers =
      absl::SimpleAtoi(View(text.substr(0, colon)), &range.min) && absl::SimpleAtoi(View(max), &range.max);
  if (!numbers || range.min < 1 || range.max < range.min) {
    return Wrong("N, or MIN:MAX with MIN not above MAX, of numbers from 1", text);
  }
  return range;
}

absl::StatusOr<Placement> ParsePlacement(const std::string& text) {
  const absl::StatusOr<std::vector<JsonValue>> parsed = ParseStructures({text});
  if (!parsed.ok()) return parsed.status();
  if (parsed->size() != 1 || parsed->front().object() == nullptr) {
    return absl::InvalidArgumentError("must be one structure");
  }
  Placement placement;
  for (const auto& [name, part] : *parsed->front().object()) {
    if (part.text() == nullptr || part.text()->empty()) {
      return absl::InvalidArgumentError(absl::StrCat(name, " takes one value"));
    }
    if (name == "AvailabilityZone") {
      placement.set_availability_zone(*part.text());
    } else if (name == "Tenancy") {
      placement.set_tenancy(*part.text());
    } else if (name == "HostId") {
      placement.set_host_id(*part.text());
    } else {
      return UnknownKey(name, "AvailabilityZone, Tenancy, HostId");
    }
  }
  return placement;
}

absl::StatusOr<Tags> ParseTags(const std::vector<std::string>& specifications, std::string_view resource_type) {
  const absl::StatusOr<std::vector<JsonValue>> parsed = ParseStructures(specifications);
  if (!parsed.ok()) return parsed.status();
  Tags tags;
  for (const JsonValue& specification : *parsed) {
    if (absl::Status status = AddTags(specification, resource_type, tags); !status.ok()) return status;
  }
  return tags;
}

absl::StatusOr<std::vector<Filter>> ParseFilters(const std::vector<std::string>& words) {
  const absl::StatusOr<std::vector<JsonValue>> parsed = ParseStructures(words);
  if (!parsed.ok()) return parsed.status();
  std::vector<Filter> filters;
  for (const JsonValue& structure : *parsed) {
    absl::StatusOr<Filter> filter = FilterOf(structure);
    if (!filter.ok()) return filter.status();
    filters.push_back(*std::move(filter));
  }
  return filters;
}

absl::StatusOr<absl::Duration> ParsePositiveDuration(std::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(View(text), &duration) || duration <= absl::ZeroDuration()) {
    return Wrong("a duration above zero, such as 500ms, 30s or 1m30s", text);
  }
  return duration;
}

absl::Status CheckClientToken(std::string_view text) {
  if (!text.empty() && text.size() <= kMaxTokenLength && IsPrintable(text)) return absl::OkStatus();
  return absl::InvalidArgumentError("must be 1 to 64 printable ASCII characters without spaces");
}

absl::Status CheckTenant(std::string_view text) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  if (!text.empty() && text.size() <= kMaxTenantLength && std::all_of(text.begin(), text.end(), allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be 1 to 64 of a-z A-Z 0-9 . _ -");
}

absl::Status CheckMetadataValue(std::string_view text) {
  if (!text.empty() && IsPrintable(text)) return absl::OkStatus();
  return absl::InvalidArgumentError("must be printable ASCII characters without spaces, at least one");
}

}  // namespace hapax::ctl
