#include "hapax/server/compute/filters.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/compute/wildcards.h"

namespace hapax::compute {
namespace {

constexpr char kField[] = "filters";
constexpr int kMaxFilters = 50;
constexpr int kMaxValues = 200;
constexpr size_t kMaxWildcardCharacters = 1024;
constexpr std::string_view kTagKey = "tag-key";
constexpr std::string_view kTagPrefix = "tag:";

// Returns `shutting-down` for INSTANCE_STATE_SHUTTING_DOWN: EC2's spelling, also for states added later.
std::string StateName(v1::InstanceState state) {
  const std::string& name = v1::InstanceState_Name(state);
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, "INSTANCE_STATE_")), {{"_", "-"}});
}

// The property that a filter of this name compares.
template <typename Resource>
struct Property {
  std::string_view name;
  std::string (*of)(const Resource&);
};

// The properties of a kind of resource, besides its tags.
template <typename Resource>
absl::Span<const Property<Resource>> Properties();

template <>
absl::Span<const Property<v1::Instance>> Properties() {
  using Resource = v1::Instance;
  static constexpr Property<Resource> kProperties[] = {
      {"instance-state-name", [](const Resource& instance) { return StateName(instance.state()); }},
      {"instance-type", [](const Resource& instance) { return instance.instance_type(); }},
      {"image-id", [](const Resource& instance) { return instance.image_id(); }},
      {"availability-zone", [](const Resource& instance) { return instance.availability_zone(); }},
      {"subnet-id", [](const Resource& instance) { return instance.subnet_id(); }},
      {"key-name", [](const Resource& instance) { return instance.key_name(); }},
      {"reservation-id", [](const Resource& instance) { return instance.reservation_id(); }},
      {"host-id", [](const Resource& instance) { return instance.host_id(); }},
      {"private-ip-address", [](const Resource& instance) { return instance.private_ip_address(); }},
      {"client-token", [](const Resource& instance) { return instance.client_token(); }},
  };
  return kProperties;
}

template <>
absl::Span<const Property<v1::Host>> Properties() {
  using Resource = v1::Host;
  static constexpr Property<Resource> kProperties[] = {
      {"availability-zone", [](const Resource& host) { return host.availability_zone(); }},
      {"instance-type", [](const Resource& host) { return host.instance_type(); }},
      {"auto-placement", [](const Resource& host) { return host.auto_placement(); }},
      {"client-token", [](const Resource& host) { return host.client_token(); }},
  };
  return kProperties;
}

template <>
absl::Span<const Property<v1::KeyPair>> Properties() {
  using Resource = v1::KeyPair;
  static constexpr Property<Resource> kProperties[] = {
      {"key-pair-id", [](const Resource& pair) { return pair.key_pair_id(); }},
      {"key-name", [](const Resource& pair) { return pair.key_name(); }},
      {"fingerprint", [](const Resource& pair) { return pair.key_fingerprint(); }},
  };
  return kProperties;
}

// The values of a filter, one of which must match.
class Values {
 public:
  // `room`: how many more characters with wildcards the request may have.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const Values>> Of(const v1::Filter& filter, size_t& room) {
    absl::flat_hash_set<std::string> texts;
    std::vector<Pattern> patterns;
    for (const std::string& value : filter.values()) {
      std::optional<Pattern> pattern = Pattern::Of(value);
      if (!pattern.has_value()) return RefuseBackslash(value);
      if (pattern->IsText()) {
        texts.insert(pattern->Text());
        continue;
      }
      if (pattern->size() > room) {
        return RefuseParameter(kField, absl::StrCat("must have at most ", kMaxWildcardCharacters,
                                                    " characters in all values with wildcards together"));
      }
      room -= pattern->size();
      patterns.push_back(*std::move(pattern));
    }
    return std::make_shared<const Values>(std::move(texts), patterns);
  }
  // The text of a name or value without wildcards.
  [[nodiscard]] static absl::StatusOr<std::string> TextOf(std::string_view key) {
    const std::optional<Pattern> pattern = Pattern::Of(key);
    if (!pattern.has_value()) return RefuseBackslash(key);
    if (!pattern->IsText()) {
      return RefuseValue(Reason::kInvalidParameter, kField, key,
                         "must be a key without wildcards: those are for tag-key and for values");
    }
    return pattern->Text();
  }

  Values(absl::flat_hash_set<std::string> texts, const std::vector<Pattern>& patterns) : texts_(std::move(texts)) {
    if (!patterns.empty()) wildcards_.emplace(patterns);
  }
  [[nodiscard]] bool Match(const std::string& text) const {
    return texts_.contains(text) || (wildcards_.has_value() && wildcards_->Match(text));
  }

 private:
  [[nodiscard]] static absl::Status RefuseBackslash(std::string_view value) {
    return RefuseValue(Reason::kInvalidParameter, kField, value,
                       "must have a backslash only before *, ? or another backslash, which it makes plain characters");
  }

  const absl::flat_hash_set<std::string> texts_;
  std::optional<Wildcards> wildcards_;
};

template <typename Resource>
absl::Status RefuseName(const std::string& name) {
  std::string allowed = "must be named one of ";
  for (const Property<Resource>& property : Properties<Resource>()) allowed += std::string(property.name) + ", ";
  return RefuseValue(Reason::kInvalidParameter, kField, name, allowed + "tag-key, tag:<KEY>");
}

}  // namespace

template <typename Resource>
absl::StatusOr<Filters<Resource>> Filters<Resource>::Of(const google::protobuf::RepeatedPtrField<v1::Filter>& filters) {
  if (filters.size() > kMaxFilters) return RefuseParameter(kField, absl::StrCat("must be at most ", kMaxFilters));
  Filters<Resource> compiled;
  size_t room = kMaxWildcardCharacters;
  for (const v1::Filter& filter : filters) {
    HAPAX_ASSIGN_OR_RETURN(Test test, TestOf(filter, room));
    compiled.tests_.push_back(std::move(test));
  }
  return compiled;
}

template <typename Resource>
absl::StatusOr<typename Filters<Resource>::Test> Filters<Resource>::TestOf(const v1::Filter& filter, size_t& room) {
  if (filter.values().empty() || filter.values_size() > kMaxValues) {
    return RefuseParameter(kField, absl::StrCat("must have 1 to ", kMaxValues, " values each"));
  }
  HAPAX_ASSIGN_OR_RETURN(const std::shared_ptr<const Values> values, Values::Of(filter, room));
  const std::string_view name = filter.name();
  if (name == kTagKey) {
    return Test([values](const Resource& resource) {
      return std::any_of(resource.tags().begin(), resource.tags().end(),
                         [&](const auto& tag) { return values->Match(tag.first); });
    });
  }
  if (name.starts_with(kTagPrefix) && name != kTagPrefix) {
    HAPAX_ASSIGN_OR_RETURN(const std::string key, Values::TextOf(name.substr(kTagPrefix.size())));
    return Test([values, key](const Resource& resource) {
      const auto tag = resource.tags().find(key);
      return tag != resource.tags().end() && values->Match(tag->second);
    });
  }
  for (const Property<Resource>& property : Properties<Resource>()) {
    if (property.name != name) continue;
    return Test([values, of = property.of](const Resource& resource) { return values->Match(of(resource)); });
  }
  return RefuseName<Resource>(filter.name());
}

template <typename Resource>
bool Filters<Resource>::Match(const Resource& resource) const {
  return std::all_of(tests_.begin(), tests_.end(), [&](const Test& test) { return test(resource); });
}

template class Filters<v1::Instance>;
template class Filters<v1::Host>;
template class Filters<v1::KeyPair>;

}  // namespace hapax::compute
