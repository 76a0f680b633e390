#include "hapax/interceptors/rule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"
#include "hapax/proto/token_field.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::MethodOptions;

constexpr int kMaxZoneFields = 8;
constexpr absl::Duration kMaxRetention = absl::Hours(87'600);
constexpr std::string_view kOperationMessage = "google.longrunning.Operation";

absl::Status Wrong(const MethodDescriptor& method, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("method ", method.service()->full_name(), "/", method.name(), ": ", std::string(what)));
}

std::string JoinNames(const std::vector<StringFieldPath>& fields) {
  return absl::StrJoin(fields, " or ", [](std::string* out, const StringFieldPath& field) { *out += field.name(); });
}

}  // namespace

absl::StatusOr<StringFieldPath> StringFieldPath::Compile(const Descriptor& message, std::string_view path) {
  StringFieldPath compiled;
  compiled.name_ = std::string(path);
  const Descriptor* at = &message;
  for (const absl::string_view step : absl::StrSplit(compiled.name_, '.')) {
    const FieldDescriptor* field = at == nullptr ? nullptr : at->FindFieldByName(std::string(step));
    if (field == nullptr || field->is_repeated()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", compiled.name_, "\" is not a singular field of ", message.full_name()));
    }
    compiled.steps_.push_back(field);
    at = field->message_type();
  }
  if (compiled.steps_.back()->type() != FieldDescriptor::TYPE_STRING) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", compiled.name_, "\" is not a string field of ", message.full_name()));
  }
  return compiled;
}

std::vector<int> StringFieldPath::Numbers() const {
  std::vector<int> numbers;
  for (const FieldDescriptor* step : steps_) numbers.push_back(step->number());
  return numbers;
}

std::string_view StringFieldPath::Read(const Message& message) const {
  const Message* at = &message;
  for (size_t i = 0; i + 1 < steps_.size(); ++i) {
    if (!at->GetReflection()->HasField(*at, steps_[i])) return {};
    at = &at->GetReflection()->GetMessage(*at, steps_[i]);
  }
  // Generated and dynamic messages hold their strings, so the scratch string is never written.
  static const std::string kUnused;
  return at->GetReflection()->GetStringReference(*at, steps_.back(), const_cast<std::string*>(&kUnused));
}

absl::StatusOr<std::optional<Rule>> Rule::Compile(const MethodDescriptor& method, const ScopeResolvers& resolvers) {
  HAPAX_ASSIGN_OR_RETURN(const FieldDescriptor* const token_field, TokenFieldOf(method));
  const auto level = method.options().idempotency_level();
  const bool has_rule = method.options().HasExtension(idempotency::v1::rule);
  if (level == MethodOptions::NO_SIDE_EFFECTS && has_rule) {
    return Wrong(method, "has both an idempotency rule and NO_SIDE_EFFECTS; it must have one");
  }
  if (!has_rule && level == MethodOptions::IDEMPOTENCY_UNKNOWN) {
    return Wrong(method,
                 "declares neither (hapax.idempotency.v1.rule) nor an idempotency_level (NO_SIDE_EFFECTS, or "
                 "IDEMPOTENT); it must have one");
  }
  if (!has_rule) return std::nullopt;

  const auto& declared = method.options().GetExtension(idempotency::v1::rule);
  const Descriptor& request = *method.input_type();
  const auto compile = [&](const std::string& path, std::string_view option) -> absl::StatusOr<StringFieldPath> {
    auto field = StringFieldPath::Compile(request, path);
    if (!field.ok()) return Wrong(method, std::string(option) + ": " + std::string(field.status().message()));
    return field;
  };

  Rule rule;
  HAPAX_ASSIGN_OR_RETURN(rule.token_field_, compile(token_field->name(), "token_field"));
  if (declared.scope().region_field().empty()) {
    return Wrong(method, "scope.region_field: is required; must name a string field of the request");
  }
  HAPAX_ASSIGN_OR_RETURN(rule.region_field_, compile(declared.scope().region_field(), "scope.region_field"));
  if (!rule.region_field_.IsTopLevel()) return Wrong(method, "scope.region_field: must be a top-level field");
  for (const std::string& path : declared.scope().zone_fields()) {
    HAPAX_ASSIGN_OR_RETURN(rule.zone_fields_.emplace_back(), compile(path, "scope.zone_fields"));
    // Otherwise a call that spells out the default region would be in another scope than one that leaves it out.
    if (path == rule.region_field_.name()) {
      return Wrong(method, "scope.zone_fields: \"" + path + "\" is the region field; another field is needed");
    }
  }
  if (rule.zone_fields_.size() > kMaxZoneFields) return Wrong(method, "scope.zone_fields: at most 8 are allowed");
  rule.zone_required_ = declared.scope().zone_required();
  if (rule.zone_required_ && rule.zone_fields_.empty()) {
    return Wrong(method, "scope.zone_required: needs at least one of zone_fields");
  }
  rule.resolver_name_ = declared.scope().resolver();
  if (!rule.resolver_name_.empty()) {
    const auto found = resolvers.find(rule.resolver_name_);
    if (found == resolvers.end()) {
      return Wrong(method, "scope.resolver: the service registered none with the name \"" + rule.resolver_name_ + "\"");
    }
    rule.resolver_ = &found->second;
  } else if (rule.zone_fields_.size() > 1) {
    return Wrong(method, "scope.zone_fields: more than one needs a resolver");
  }
  HAPAX_RETURN_IF_ERROR(rule.CompileReply(method, declared));
  rule.request_limits_ = declared.request_limits();
  return rule;
}

absl::Status Rule::CompileReply(const MethodDescriptor& method, const idempotency::v1::IdempotencyRule& declared) {
  switch (declared.replay()) {
    case idempotency::v1::REPLAY_UNSPECIFIED:
    case idempotency::v1::REPLAY_VERBATIM:
      break;
    case idempotency::v1::REPLAY_CURRENT_OPERATION:
      if (PublicName(method.output_type()->full_name()) != kOperationMessage) {
        return Wrong(method,
                     "replay: REPLAY_CURRENT_OPERATION needs a reply of type " + std::string(kOperationMessage));
      }
      replays_current_operation_ = true;
      break;
    default:
      return Wrong(method, "replay: must be REPLAY_VERBATIM or REPLAY_CURRENT_OPERATION");
  }
  secret_reply_ = declared.secret_reply();
  if (declared.has_retention()) {
    retention_ = FromProtoDuration(declared.retention());
    if (*retention_ <= absl::ZeroDuration() || *retention_ > kMaxRetention) {
      return Wrong(method, "retention: must be positive and at most 87600h");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Place> Rule::ResolvePlace(const Message& request, std::string_view default_region) const {
  PlaceHints hints{.region = {.field = region_field_.name(), .value = region_field_.Read(request)}};
  bool names_zone = false;
  for (const StringFieldPath& field : zone_fields_) {
    hints.zones.push_back({.field = field.name(), .value = field.Read(request)});
    names_zone = names_zone || !hints.zones.back().value.empty();
  }
  if (zone_required_ && !names_zone) return RefuseParameter(JoinNames(zone_fields_), "is required");

  Place place{.region = std::string(hints.region.value)};
  if (resolver_ != nullptr) {
    HAPAX_ASSIGN_OR_RETURN(place, (*resolver_)(hints));
  } else if (!hints.zones.empty()) {
    place.zone = std::string(hints.zones.front().value);
  }
  if (place.region.empty()) place.region = std::string(default_region);
  return place;
}

}  // namespace hapax
