#include "hapax/server/doors/ec2/parameters.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/xml.h"

namespace hapax::ec2 {
namespace {

constexpr size_t kMaxPairs = 20'000;
constexpr size_t kMaxNameLength = 128;
constexpr int kMaxDots = 8;
constexpr size_t kShownLength = 64;

// First parts of parameters that EC2 has for the actions of this door, and this door has not.
constexpr std::array kOfEc2 = {
    "AdditionalInfo",
    "AssetId",
    "BlockDeviceMapping",
    "CapacityReservationSpecification",
    "CpuOptions",
    "CreditSpecification",
    "DisableApiStop",
    "DisableApiTermination",
    "EbsOptimized",
    "ElasticGpuSpecification",
    "ElasticInferenceAccelerator",
    "EnablePrimaryIpv6",
    "EnclaveOptions",
    "Force",
    "Hibernate",
    "HibernationOptions",
    "HostMaintenance",
    "HostRecovery",
    "IamInstanceProfile",
    "IncludeManagedResources",
    "InstanceFamily",
    "InstanceInitiatedShutdownBehavior",
    "InstanceMarketOptions",
    "Ipv6Address",
    "Ipv6AddressCount",
    "KernelId",
    "KeyFormat",
    "LaunchTemplate",
    "LicenseSpecification",
    "MaintenanceOptions",
    "MetadataOptions",
    "Monitoring",
    "NetworkInterface",
    "NetworkPerformanceOptions",
    "Operator",
    "OutpostArn",
    "Placement",
    "PrivateDnsNameOptions",
    "PrivateIpAddress",
    "RamdiskId",
    "SecurityGroup",
    "SecurityGroupId",
    "SkipOsShutdown",
    "TagSpecification",
    "UserData",
    "ZoneId",
};

bool IsOfEc2(std::string_view name) {
  const std::string_view first = name.substr(0, name.find('.'));
  return std::find(kOfEc2.begin(), kOfEc2.end(), first) != kOfEc2.end();
}

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength || name.front() == '.' || name.back() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  if (std::count(name.begin(), name.end(), '.') > kMaxDots) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  });
}

// Names come from strangers.
std::string Shown(std::string_view name) {
  std::string shown;
  for (const char c : name.substr(0, kShownLength)) {
    shown.push_back(absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?');
  }
  if (name.size() > kShownLength) shown += "...";
  return shown;
}

absl::Status RefuseValueOf(std::string_view name, std::string_view allowed) {
  return RefuseWith("InvalidParameterValue", absl::StrCat(Shown(name), ": ", std::string(allowed)));
}

// "12", but neither "012" nor "+12"; 0 for all else.
size_t NumberOf(std::string_view digits) {
  constexpr size_t kMostDigits = 6;
  if (digits.empty() || digits.size() > kMostDigits || digits.front() == '0') return 0;
  size_t number = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return 0;
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  return number;
}

}  // namespace

absl::StatusOr<Parameters> Parameters::Of(FormPairs pairs) {
  if (pairs.size() > kMaxPairs) {
    return RefuseWith("RequestTooLarge", absl::StrCat("a request has at most ", kMaxPairs, " parameters"));
  }
  Parameters parameters;
  for (auto& [name, value] : pairs) {
    if (!IsName(name)) {
      return RefuseWith("InvalidParameter",
                        absl::StrCat("\"", Shown(name), "\" is no name of a parameter: it has at most ", kMaxNameLength,
                                     " letters, digits, - and _ in at most ", kMaxDots + 1, " parts joined by dots"));
    }
    if (!IsXmlText(value)) return RefuseValueOf(name, "control characters are not allowed");
    const auto [place, is_new] = parameters.values_.emplace(name, std::move(value));
    if (!is_new) {
      return RefuseWith("InvalidParameterCombination", absl::StrCat(Shown(name), ": it occurs more than once"));
    }
  }
  return parameters;
}

std::string Parameters::FullName(std::string_view name) const { return absl::StrCat(prefix_, std::string(name)); }

void Parameters::Drop(bool (*is_such)(std::string_view name)) {
  std::erase_if(values_, [is_such](const auto& entry) { return is_such(entry.first); });
}

std::optional<std::string> Parameters::Take(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  std::string value = std::move(found->second);
  values_.erase(found);
  return value;
}

absl::StatusOr<std::string> Parameters::TakeRequired(std::string_view name) {
  const std::optional<std::string> value = Take(name);
  if (!value.has_value() || value->empty()) {
    return RefuseWith("MissingParameter", absl::StrCat("The request must contain the parameter ", FullName(name)));
  }
  return *value;
}

absl::StatusOr<std::optional<int32_t>> Parameters::TakeNumber(std::string_view name, int32_t min, int32_t max) {
  const std::optional<std::string> text = Take(name);
  if (!text.has_value()) return std::nullopt;
  int32_t number = 0;
  if (!absl::SimpleAtoi(*text, &number) || number < min || number > max) {
    return RefuseValueOf(FullName(name), absl::StrCat("must be a number from ", min, " to ", max));
  }
  return number;
}

absl::StatusOr<bool> Parameters::TakeFlag(std::string_view name, bool otherwise) {
  const std::optional<std::string> text = Take(name);
  if (!text.has_value()) return otherwise;
  if (absl::EqualsIgnoreCase(*text, "true")) return true;
  if (absl::EqualsIgnoreCase(*text, "false")) return false;
  return RefuseValueOf(FullName(name), "must be true or false");
}

absl::Status Parameters::TakeFixed(std::string_view name, std::string_view only) {
  const std::optional<std::string> text = Take(name);
  if (!text.has_value() || absl::EqualsIgnoreCase(*text, absl::string_view(only.data(), only.size()))) {
    return absl::OkStatus();
  }
  return RefuseWith("UnsupportedOperation",
                    absl::StrCat(FullName(name), ": only \"", std::string(only), "\" is supported"));
}

absl::StatusOr<std::map<size_t, Parameters>> Parameters::TakeItems(std::string_view name, size_t max) {
  const std::string prefix = absl::StrCat(std::string(name), ".");
  std::map<size_t, Parameters> items;
  for (auto it = values_.lower_bound(prefix); it != values_.end() && absl::StartsWith(it->first, prefix);) {
    const std::string_view rest = std::string_view(it->first).substr(prefix.size());
    const std::string_view digits = rest.substr(0, rest.find('.'));
    const size_t number = NumberOf(digits);
    if (number == 0 || number > max) {
      return RefuseValueOf(FullName(it->first), absl::StrCat("a list's items are numbered from 1 to at most ", max));
    }
    Parameters& item = items[number];
    if (item.prefix_.empty()) item.prefix_ = absl::StrCat(prefix_, prefix, number, ".");
    item.values_.emplace(rest.size() == digits.size() ? "" : rest.substr(digits.size() + 1), std::move(it->second));
    it = values_.erase(it);
  }
  if (!items.empty() && items.rbegin()->first != items.size()) {
    return RefuseValueOf(FullName(name), "a list's items are numbered from 1 without gaps");
  }
  return items;
}

absl::StatusOr<std::vector<std::string>> Parameters::TakeList(std::string_view name, size_t max) {
  HAPAX_ASSIGN_OR_RETURN(auto items, TakeItems(name, max));
  std::vector<std::string> list;
  list.reserve(items.size());
  for (auto& [number, item] : items) {
    std::optional<std::string> value = item.Take("");
    if (!value.has_value() || !item.values_.empty()) {
      return RefuseValueOf(absl::StrCat(FullName(name), ".", number), "must be one value, without parts");
    }
    list.push_back(*std::move(value));
  }
  return list;
}

absl::StatusOr<std::vector<Parameters>> Parameters::TakeStructures(std::string_view name, size_t max) {
  HAPAX_ASSIGN_OR_RETURN(auto items, TakeItems(name, max));
  std::vector<Parameters> list;
  list.reserve(items.size());
  for (auto& [number, item] : items) {
    if (item.values_.contains("")) {
      return RefuseValueOf(absl::StrCat(FullName(name), ".", number), "has parts, such as .Name");
    }
    list.push_back(std::move(item));
  }
  return list;
}

absl::Status Parameters::Finish() const {
  if (values_.empty()) return absl::OkStatus();
  const std::string name = FullName(values_.begin()->first);
  if (IsOfEc2(name)) {
    return RefuseWith("UnsupportedOperation", absl::StrCat("The parameter ", Shown(name), " is not supported here"));
  }
  return RefuseWith("UnknownParameter", absl::StrCat("The parameter ", Shown(name), " is not recognized"));
}

}  // namespace hapax::ec2
