#include "hapax/server/doors/yandex/field_names.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_replace.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/public_name.h"

namespace hapax::yandex {
namespace {

struct Renaming {
  std::string_view ours;
  std::string_view theirs;
};

constexpr auto kRenamings = std::to_array<Renaming>({{"image_id", "boot_disk_spec.disk_spec.image_id"},
                                                     {"instance_type", "platform_id"},
                                                     {"placement.availability_zone", "zone_id"},
                                                     {"placement.host_id", "placement_policy.host_affinity_rules"},
                                                     {"subnet_id", "network_interface_specs.subnet_id"},
                                                     {"instance_ids", "instance_id"},
                                                     {"tags", "labels"}});

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// A text that begins with the name of a field, such as `tags["a"]: must ...`.
std::string Renamed(const std::string& text) {
  for (const auto& [ours, theirs] : kRenamings) {
    if (!text.starts_with(ours)) continue;
    if (text.size() > ours.size() && std::string_view(":[ ").find(text[ours.size()]) == std::string_view::npos)
      continue;
    return std::string(theirs) + text.substr(ours.size());
  }
  return text;
}

// The names of all fields that differ, and none of their values.
std::string RenamedEverywhere(const std::string& text) {
  std::vector<std::pair<absl::string_view, absl::string_view>> pairs;
  pairs.reserve(kRenamings.size());
  for (const auto& [ours, theirs] : kRenamings) pairs.emplace_back(View(ours), View(theirs));
  return absl::StrReplaceAll(text, pairs);
}

}  // namespace

absl::Status WithTheirFieldNames(const absl::Status& error) {
  const bool is_mismatch = ReasonOf(error) == Reason::kIdempotentParameterMismatch;
  const std::string message(error.message());
  absl::Status renamed(error.code(), is_mismatch ? RenamedEverywhere(message) : Renamed(message));
  external::rpc::BadRequest bad_request;
  const std::string bad_request_url = TypeUrlOf(*external::rpc::BadRequest::descriptor());
  error.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (url != bad_request_url || !bad_request.ParseFromString(std::string(payload))) {
      return renamed.SetPayload(url, payload);
    }
    for (auto& violation : *bad_request.mutable_field_violations()) violation.set_field(Renamed(violation.field()));
    renamed.SetPayload(url, absl::Cord(bad_request.SerializeAsString()));
  });
  return renamed;
}

}  // namespace hapax::yandex
