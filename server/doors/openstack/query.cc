#include "hapax/server/doors/openstack/query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/server/http/form.h"

namespace hapax::openstack {
namespace {

constexpr size_t kMaxParameters = 50;

}  // namespace

absl::StatusOr<Query> Query::Parse(std::string_view text) {
  absl::StatusOr<FormPairs> pairs = ParseForm(text);
  if (!pairs.ok()) return RefuseParameter("query", std::string(pairs.status().message()));
  if (pairs->size() > kMaxParameters) return RefuseParameter("query", "must have at most 50 parameters");
  Query query;
  for (auto& [name, value] : *pairs) {
    if (!query.values_.emplace(name, std::move(value)).second) return RefuseParameter(name, "must be given once");
  }
  return query;
}

std::optional<std::string> Query::Take(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  std::string value = std::move(found->second);
  values_.erase(found);
  if (value.empty() || value == "None") return std::nullopt;
  return value;
}

void Query::TakeFalse(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return;
  const std::string& value = found->second;
  if (value.empty() || value == "0" || value == "False" || value == "false" || value == "None") values_.erase(found);
}

absl::Status Query::Finish() const {
  if (values_.empty()) return absl::OkStatus();
  return RefuseParameter(values_.begin()->first, "is not supported by this server, so it must be left out");
}

absl::StatusOr<PageLimits> TakePageLimits(Query& query) {
  PageLimits limits;
  if (const auto limit = query.Take("limit")) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(*limit, &number) || number < 0) return RefuseParameter("limit", "must be a number from 0 on");
    limits.limit = static_cast<size_t>(std::min<int64_t>(number, PageLimits::kMax));
  }
  limits.marker = query.Take("marker").value_or("");
  return limits;
}

}  // namespace hapax::openstack
