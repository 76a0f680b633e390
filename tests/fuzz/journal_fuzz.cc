// The client's journal, its file or its log replaced by any bytes, or damaged: an error, or a journal that works; and
// when only the log was touched, nothing in it that was not begun.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/check.h"
#include "hapax/client/journal/token_journal.h"
#include "hapax/tests/fuzz/input.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/files.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::client {
namespace {

constexpr int kIntents = 4;

RawCall CallOf(int i) {
  return {.method = "a.B/C", .request = absl::StrCat("request ", i), .token = absl::StrCat("token-", i)};
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// A journal with a few intents, all of them still in its log, as a process leaves it that is killed.
struct Whole {
  std::string file;
  std::string log;
};

const Whole& WholeJournal() {
  static const auto* const kWhole = [] {
    SetDiskSyncHook([](int) { return kSkipSync; });
    const TempDir dir;
    const std::string path = dir.Path("journal");
    TokenJournal::Open(path).value().reset();
    const auto journal = TokenJournal::Open(path).value();
    for (int i = 0; i < kIntents; ++i) HAPAX_CHECK(journal->Begin(CallOf(i)).ok(), "the disk works");
    return new Whole{.file = ContentOf(path), .log = ContentOf(path + "-wal")};
  }();
  return *kWhole;
}

bool SameCall(const RawCall& a, const RawCall& b) {
  return a.method == b.method && a.request == b.request && a.token == b.token &&
         a.token_in_request == b.token_in_request;
}

bool IsKnownError(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsUnavailable(status) || absl::IsFailedPrecondition(status);
}

// Changes bytes here and there, and cuts the end off.
std::string Damaged(Input& input, std::string bytes) {
  for (int patches = input.Byte() % 8; patches > 0 && !bytes.empty(); --patches) {
    const size_t at = input.Number(2) % bytes.size();
    const std::string patch = input.String();
    bytes.replace(at, std::min(patch.size(), bytes.size() - at), patch.substr(0, bytes.size() - at));
  }
  if ((input.Byte() & 1) != 0) bytes.resize(bytes.size() - input.Number(2) % (bytes.size() + 1));
  return bytes;
}

// What is there, if it can be read, works on.
void CheckWorks(const std::string& path, bool only_what_was_begun) {
  const RawCall added{.method = "d.E/F", .request = "added", .token = "added"};
  std::vector<TokenJournal::Intent> found;
  {
    const auto journal = TokenJournal::Open(path);
    HAPAX_CHECK(journal.ok() || IsKnownError(journal.status()), journal.status().ToString().c_str());
    if (!journal.ok()) return;
    auto intents = (*journal)->TakeOver();
    HAPAX_CHECK(intents.ok() || IsKnownError(intents.status()), intents.status().ToString().c_str());
    if (!intents.ok()) return;
    found = *std::move(intents);
    if (only_what_was_begun) {
      HAPAX_CHECK(found.size() <= kIntents, "nothing is there that was not begun");
      for (size_t i = 0; i < found.size(); ++i) {
        HAPAX_CHECK(SameCall(found[i].call, CallOf(static_cast<int>(i))),
                    "what was begun is there as it was, in order");
      }
    }
    if (!(*journal)->Begin(added).ok()) return;
  }
  const auto again = TokenJournal::Open(path);
  if (!again.ok()) return;
  const auto intents = (*again)->TakeOver();
  if (!intents.ok()) return;
  HAPAX_CHECK(intents->size() == found.size() + 1, "what was there stays, and what was begun is added");
  HAPAX_CHECK(SameCall(intents->back().call, added), "as it was");
}

}  // namespace
}  // namespace hapax::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  using namespace hapax::client;
  const Whole& whole = WholeJournal();
  static const TempDir dir;
  const std::string path = dir.Path("journal");
  for (const char* const beside : {"", "-wal", "-shm", "-journal", "-owners"}) {
    std::filesystem::remove(path + beside);
  }
  Input input(data, size);
  const int kind = input.Byte() % 4;
  if (kind == 0) {  // Any bytes.
    WriteFile(path, input.Rest());
  } else if (kind == 1) {  // Any log.
    WriteFile(path, whole.file);
    WriteFile(path + "-wal", input.Rest());
  } else if (kind == 2) {  // A damaged log.
    WriteFile(path, whole.file);
    WriteFile(path + "-wal", Damaged(input, whole.log));
  } else {  // A damaged file.
    WriteFile(path, Damaged(input, whole.file));
  }
  CheckWorks(path, /*only_what_was_begun=*/kind == 1 || kind == 2);
  return 0;
}
