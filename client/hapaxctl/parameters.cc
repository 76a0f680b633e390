#include "hapax/client/hapaxctl/parameters.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/shorthand.h"

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

absl::Status UnknownKey(const ShorthandValue& member, std::string_view allowed) {
  return absl::InvalidArgumentError(absl::StrCat("\"", member.key, "\" is none of its keys: ", View(allowed)));
}

absl::Status AddTag(const ShorthandValue& tag, Tags& tags) {
  constexpr char kForm[] = "a tag is {Key=...,Value=...}";
  if (tag.kind != ShorthandValue::Kind::kStructure) return absl::InvalidArgumentError(kForm);
  const std::string* key = nullptr;
  std::string value;
  for (const ShorthandValue& member : tag.parts) {
    if (member.kind != ShorthandValue::Kind::kText) return absl::InvalidArgumentError(kForm);
    if (member.key != "Key" && member.key != "Value") return UnknownKey(member, "Key, Value");
    if (member.key == "Key") key = &member.text;
    if (member.key == "Value") value = member.text;
  }
  if (key == nullptr) return absl::InvalidArgumentError(kForm);
  if (!tags.insert({*key, value}).second) {
    return absl::InvalidArgumentError(absl::StrCat("the tag \"", *key, "\" is given twice"));
  }
  return absl::OkStatus();
}

// The tags of one specification.
absl::Status AddTags(std::string_view text, std::string_view resource_type, Tags& tags) {
  const absl::StatusOr<ShorthandValue> specification = ParseShorthand(text);
  if (!specification.ok()) return specification.status();
  bool typed = false;
  for (const ShorthandValue& member : specification->parts) {
    if (member.key == "ResourceType") {
      if (member.text != resource_type) {
        return Wrong(absl::StrCat("ResourceType=", View(resource_type)), member.key + "=" + member.text);
      }
      typed = true;
    } else if (member.key == "Tags") {
      // One tag may come without the list's brackets.
      const bool is_list = member.kind == ShorthandValue::Kind::kList;
      for (const ShorthandValue& tag : is_list ? member.parts : std::vector<ShorthandValue>{member}) {
        if (absl::Status status = AddTag(tag, tags); !status.ok()) return status;
      }
    } else {
      return UnknownKey(member, "ResourceType, Tags");
    }
  }
  if (!typed) return absl::InvalidArgumentError(absl::StrCat("ResourceType=", View(resource_type), " is missing"));
  return absl::OkStatus();
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

absl::StatusOr<Placement> ParsePlacement(std::string_view text) {
  const absl::StatusOr<ShorthandValue> parsed = ParseShorthand(text);
  if (!parsed.ok()) return parsed.status();
  Placement placement;
  for (const ShorthandValue& member : parsed->parts) {
    if (member.kind != ShorthandValue::Kind::kText || member.text.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(member.key, " takes one value"));
    }
    if (member.key == "AvailabilityZone") {
      placement.set_availability_zone(member.text);
    } else if (member.key == "Tenancy") {
      placement.set_tenancy(member.text);
    } else if (member.key == "HostId") {
      placement.set_host_id(member.text);
    } else {
      return UnknownKey(member, "AvailabilityZone, Tenancy, HostId");
    }
  }
  return placement;
}

absl::StatusOr<Tags> ParseTags(const std::vector<std::string>& specifications, std::string_view resource_type) {
  Tags tags;
  for (const std::string& specification : specifications) {
    if (absl::Status status = AddTags(specification, resource_type, tags); !status.ok()) return status;
  }
  return tags;
}

absl::StatusOr<Filter> ParseFilter(std::string_view text) {
  constexpr char kForm[] = "a filter is Name=...,Values=...,...";
  const absl::StatusOr<ShorthandValue> parsed = ParseShorthand(text);
  if (!parsed.ok()) return parsed.status();
  Filter filter;
  for (const ShorthandValue& member : parsed->parts) {
    const std::vector<std::string> texts = member.Texts();
    if (texts.empty()) return absl::InvalidArgumentError(kForm);
    if (member.key == "Name" && texts.size() == 1) {
      filter.set_name(texts[0]);
    } else if (member.key == "Values") {
      filter.mutable_values()->Add(texts.begin(), texts.end());
    } else {
      return UnknownKey(member, "Name (one value), Values");
    }
  }
  if (filter.name().empty() || filter.values().empty()) return absl::InvalidArgumentError(kForm);
  return filter;
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

absl::Status CheckEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  const bool good = colon != std::string_view::npos && colon > 0 && IsPrintable(text) &&
                    absl::SimpleAtoi(View(text.substr(colon + 1)), &port) && port >= 1 && port <= 65535;
  return good ? absl::OkStatus() : Wrong("HOST:PORT", text);
}

absl::Status CheckMetadataValue(std::string_view text) {
  if (!text.empty() && IsPrintable(text)) return absl::OkStatus();
  return absl::InvalidArgumentError("must be printable ASCII characters without spaces, at least one");
}

}  // namespace hapax::ctl
