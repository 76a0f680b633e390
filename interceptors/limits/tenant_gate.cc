#include "hapax/interceptors/limits/tenant_gate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {
namespace {

// Up to this number of tenants, forgetting is not worth the work.
constexpr size_t kFewTenants = 1024;

absl::Status RefuseInFlight(int limit) {
  return Refuse(Reason::kOverloaded, absl::StrCat("the tenant has as many calls in flight as it may: "
                                                  "max_calls_in_flight_per_tenant is ",
                                                  limit));
}

absl::Status RefuseRate(double limit, absl::Duration until_room) {
  return RefuseFor(std::max(until_room, InfoOf(Reason::kOverloaded).retry_delay), Reason::kOverloaded,
                   absl::StrCat("the tenant makes more calls than it may: max_calls_per_second_per_tenant is ", limit));
}

}  // namespace

TenantGate::TenantGate(const TenantLimits& limits, const Clock& clock)
    : limits_(limits),
      is_metered_(limits.max_calls_per_second > 0),
      call_takes_(is_metered_ ? absl::Seconds(1) / limits.max_calls_per_second : absl::ZeroDuration()),
      bucket_takes_(call_takes_ * limits.max_burst),
      clock_(clock),
      clean_up_at_(kFewTenants) {}

absl::StatusOr<TenantGate::Place*> TenantGate::TryEnter(const std::string& tenant) {
  const absl::Duration now = is_metered_ ? clock_.Monotonic() : absl::InfiniteDuration();
  absl::Duration until_room;
  {
    absl::MutexLock lock(&mu_);
    Place& place = PlaceOf(tenant, now);
    const bool has_place = place.in_flight < limits_.max_calls_in_flight;
    if (has_place && is_metered_) {
      place.full_at = std::max(place.full_at, now);
      until_room = place.full_at + call_takes_ - now - bucket_takes_;
      if (until_room <= absl::ZeroDuration()) place.full_at += call_takes_;
    }
    if (has_place && until_room <= absl::ZeroDuration()) {
      ++place.in_flight;
      return &place;
    }
  }
  if (until_room > absl::ZeroDuration()) return RefuseRate(limits_.max_calls_per_second, until_room);
  return RefuseInFlight(limits_.max_calls_in_flight);
}

void TenantGate::Leave(Place& place) {
  absl::MutexLock lock(&mu_);
  --place.in_flight;
}

TenantGate::Place& TenantGate::PlaceOf(const std::string& tenant, absl::Duration now) {
  const auto found = places_.find(tenant);
  if (found != places_.end()) return *found->second;
  if (places_.size() >= clean_up_at_) {
    absl::erase_if(places_, [&](const auto& entry) {
      const Place& place = *entry.second;
      return place.in_flight == 0 && place.full_at <= now;
    });
    clean_up_at_ = std::max(kFewTenants, 2 * places_.size());
  }
  return *places_.emplace(tenant, std::make_unique<Place>()).first->second;
}

}  // namespace hapax
