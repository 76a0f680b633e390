#include "hapax/testing/counted_ids.h"

#include "absl/strings/str_format.h"

namespace hapax {

std::string CountedId(std::string_view prefix, int number) { return absl::StrFormat("%s-%017x", prefix, number); }

std::string CountedIds::NewId(std::string_view prefix) {
  absl::MutexLock lock(&mu_);
  if (std::this_thread::get_id() != repeating_thread_) return NextId(prefix);
  if (!is_second_run_) {
    given_.push_back({.prefix = std::string(prefix), .id = NextId(prefix)});
    return given_.back().id;
  }
  const bool is_same = given_again_ < given_.size() && given_[given_again_].prefix == prefix;
  return is_same ? given_[given_again_++].id : NextId(prefix);
}

void CountedIds::Reset() {
  absl::MutexLock lock(&mu_);
  last_.clear();
}

std::string CountedIds::NextId(std::string_view prefix) {
  auto last = last_.find(prefix);
  if (last == last_.end()) last = last_.emplace(prefix, 0).first;
  return CountedId(prefix, ++last->second);
}

CountedIds::Repetition::Repetition(CountedIds& ids) : ids_(ids) {
  absl::MutexLock lock(&ids_.mu_);
  ids_.repeating_thread_ = std::this_thread::get_id();
  ids_.is_second_run_ = false;
  ids_.given_.clear();
}

CountedIds::Repetition::~Repetition() {
  absl::MutexLock lock(&ids_.mu_);
  ids_.repeating_thread_ = std::thread::id();
}

void CountedIds::Repetition::BeginSecondRun() {
  absl::MutexLock lock(&ids_.mu_);
  ids_.is_second_run_ = true;
  ids_.given_again_ = 0;
}

}  // namespace hapax
