#include "hapax/client/journal/journal_writer.h"

#include <utility>

namespace hapax::client {

JournalWriter::JournalWriter(TokenJournal& journal, Destination destination)
    : journal_(journal), destination_(std::move(destination)) {}

JournalWriter::~JournalWriter() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void JournalWriter::Begin(const RawCall& call, Begun begun) {
  absl::MutexLock lock(&mu_);
  beginnings_.push_back({.call = &call, .begun = std::move(begun)});
  StartThread();
}

void JournalWriter::Conclude(int64_t id, bool take_out) {
  absl::MutexLock lock(&mu_);
  conclusions_.push_back({.id = id, .take_out = take_out});
  StartThread();
}

void JournalWriter::StartThread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void JournalWriter::Run() {
  while (true) {
    std::vector<Beginning> beginnings;
    std::vector<Conclusion> conclusions;
    {
      absl::MutexLock lock(&mu_, absl::Condition(this, &JournalWriter::HasWork));
      beginnings.swap(beginnings_);
      conclusions.swap(conclusions_);
    }
    if (beginnings.empty() && conclusions.empty()) return;  // Stopping.
    if (!conclusions.empty()) Write(conclusions);
    if (!beginnings.empty()) Write(std::move(beginnings));
  }
}

void JournalWriter::Write(std::vector<Beginning> beginnings) {
  std::vector<const RawCall*> calls;
  calls.reserve(beginnings.size());
  for (const Beginning& beginning : beginnings) calls.push_back(beginning.call);
  std::vector<absl::StatusOr<int64_t>> ids = journal_.BeginAll(calls, destination_);
  for (size_t i = 0; i < beginnings.size(); ++i) std::move(beginnings[i].begun)(std::move(ids[i]));
}

void JournalWriter::Write(const std::vector<Conclusion>& conclusions) {
  std::vector<int64_t> taken_out;
  for (const auto& [id, take_out] : conclusions) {
    if (take_out) taken_out.push_back(id);
  }
  // An intent that cannot be removed is resumed later and replayed, which is harmless.
  const bool out = taken_out.empty() || journal_.CompleteAll(taken_out).ok();
  for (const auto& [id, take_out] : conclusions) {
    if (!take_out || !out) journal_.LeaveOpen(id);
  }
}

}  // namespace hapax::client
