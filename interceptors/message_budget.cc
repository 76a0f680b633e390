#include "hapax/interceptors/message_budget.h"

#include <algorithm>
#include <utility>

namespace hapax {

MessageBudget::MessageBudget(const Options& options)
    : max_message_bytes_(options.max_message_bytes),
      bytes_(std::max(options.bytes, 2 * options.max_message_bytes)),
      left_(bytes_) {}

bool MessageBudget::TryReserve() {
  const int64_t left = left_.fetch_sub(max_message_bytes_) - max_message_bytes_;
  if (left >= bytes_ / 2 && waiting_.load() == 0) return true;
  GiveBack("", 0, max_message_bytes_);
  return false;
}

void MessageBudget::Reserve(std::string_view tenant, absl::AnyInvocable<void()> go_on) {
  {
    absl::MutexLock lock(&mu_);
    std::unique_ptr<Party>& party = parties_[std::string(tenant)];
    if (party == nullptr) party = std::make_unique<Party>();
    // Raised before the check for room: a thread that gives bytes back then sees the waiter, or the check sees its
    // bytes.
    waiting_.fetch_add(1);
    if (!party->waiting.empty() || !TakeFor(*party)) {
      if (party->waiting.empty()) turns_.emplace_back(tenant);
      party->waiting.push_back(std::move(go_on));
      return;
    }
    waiting_.fetch_sub(1);
  }
  go_on();
}

void MessageBudget::Uncount(std::string_view tenant) { GiveBack(tenant, max_message_bytes_, 0); }

bool MessageBudget::Settle(std::string_view tenant, size_t message_bytes) {
  const auto length = static_cast<int64_t>(message_bytes);
  const bool is_large = length > kSmallBytes;
  GiveBack(tenant, is_large ? -length : 0, max_message_bytes_ - (is_large ? length : 0));
  return is_large;
}

void MessageBudget::Take(std::string_view tenant, size_t message_bytes) {
  const auto length = static_cast<int64_t>(message_bytes);
  GiveBack(tenant, -length, -length);
}

void MessageBudget::Return(std::string_view tenant, size_t message_bytes) {
  GiveBack(tenant, static_cast<int64_t>(message_bytes), static_cast<int64_t>(message_bytes));
}

bool MessageBudget::HasRoom(std::string_view tenant) {
  if (taken() < bytes_ / 2) return true;
  absl::MutexLock lock(&mu_);
  const auto known = parties_.find(std::string(tenant));
  return known == parties_.end() || IsWithinShare(*known->second);
}

bool MessageBudget::IsTaking(std::string_view tenant) {
  if (taken() <= 0) return false;
  absl::MutexLock lock(&mu_);
  const auto known = parties_.find(std::string(tenant));
  return known != parties_.end() && known->second->taken > 0;
}

// A tenant may have a quarter of all bytes, or one message.
bool MessageBudget::IsWithinShare(const Party& party) const {
  return party.taken <= 0 || party.taken + max_message_bytes_ <= bytes_ / 4;
}

bool MessageBudget::TakeFor(Party& party) {
  if (!IsWithinShare(party)) return false;
  int64_t left = left_.load();
  do {
    if (left < max_message_bytes_) return false;
  } while (!left_.compare_exchange_weak(left, left - max_message_bytes_));
  party.taken += max_message_bytes_;
  return true;
}

void MessageBudget::GiveBack(std::string_view tenant, int64_t counted_bytes, int64_t bytes) {
  left_.fetch_add(bytes);
  if (counted_bytes != 0) {
    absl::MutexLock lock(&mu_);
    std::unique_ptr<Party>& party = parties_[std::string(tenant)];
    if (party == nullptr) party = std::make_unique<Party>();
    party->taken -= counted_bytes;
    Forget(tenant);
  }
  while (waiting_.load() > 0) {
    absl::AnyInvocable<void()> go_on;
    {
      absl::MutexLock lock(&mu_);
      go_on = NextToGoOn();
    }
    if (go_on == nullptr) return;
    go_on();
  }
}

void MessageBudget::Forget(std::string_view tenant) {
  const auto known = parties_.find(std::string(tenant));
  if (known != parties_.end() && known->second->taken == 0 && known->second->waiting.empty()) parties_.erase(known);
}

absl::AnyInvocable<void()> MessageBudget::NextToGoOn() {
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    Party& party = *parties_[*turn];
    if (!TakeFor(party)) continue;
    absl::AnyInvocable<void()> go_on = std::move(party.waiting.front());
    party.waiting.pop_front();
    waiting_.fetch_sub(1);
    if (party.waiting.empty()) {
      turns_.erase(turn);
    } else {
      turns_.splice(turns_.end(), turns_, turn);
    }
    return go_on;
  }
  return nullptr;
}

}  // namespace hapax
