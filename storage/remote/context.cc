#include "hapax/storage/remote/context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hapax/storage/store_error.h"

namespace hapax {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(2);
constexpr int kDoublings = 7;  // To a quarter of a second.
// So many groups fetch first after a conflict.
constexpr int kCarefulGroups = 16;

}  // namespace

void RemoteContext::NoteConflict() {
  absl::MutexLock lock(&mu_);
  careful_groups_ = kCarefulGroups;
}

bool RemoteContext::IsContended() const {
  absl::MutexLock lock(&mu_);
  return careful_groups_ > 0;
}

bool RemoteContext::GuessesFirst() {
  absl::MutexLock lock(&mu_);
  if (careful_groups_ == 0) return options_.guess_first;
  --careful_groups_;
  return false;
}

void RemoteContext::RunLater(int attempt, RemoteExecutor::Work step) {
  absl::Duration pause = kFirstPause * (1 << std::clamp(attempt, 0, kDoublings));
  {
    absl::MutexLock lock(&mu_);
    pause *= std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  }
  executor_.RunAfter(pause, std::move(step));
}

void RemoteContext::Stop(absl::Status reason) {
  absl::MutexLock lock(&mu_);
  if (status_.ok()) status_ = std::move(reason);
}

absl::Status RemoteContext::status() const {
  absl::MutexLock lock(&mu_);
  return status_;
}

void RemoteContext::NoteRead(const absl::Status& status) {
  absl::MutexLock lock(&mu_);
  read_error_ = status;
}

void RemoteContext::NoteWrite(const absl::Status& status) {
  absl::MutexLock lock(&mu_);
  write_error_ = status;
}

absl::Status RemoteContext::read_error() const {
  absl::MutexLock lock(&mu_);
  return read_error_;
}

absl::Status RemoteContext::write_error() const {
  absl::MutexLock lock(&mu_);
  return write_error_;
}

absl::Status RemoteContext::Unavailable(absl::string_view what) const {
  absl::MutexLock lock(&mu_);
  const absl::Status& reason = read_error_.ok() ? write_error_ : read_error_;
  return StoreError(
      absl::UnavailableError(reason.ok() ? std::string(what) : absl::StrCat(what, ": ", reason.message())));
}

uint64_t RemoteContext::SeedOf(const std::string& owner) {
  std::seed_seq seed(owner.begin(), owner.end());
  return std::mt19937_64(seed)();
}

void RemoteContext::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
}

bool RemoteContext::closed() const {
  absl::MutexLock lock(&mu_);
  return closed_;
}

}  // namespace hapax
