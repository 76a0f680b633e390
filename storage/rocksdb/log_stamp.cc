#include "hapax/storage/rocksdb/log_stamp.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "hapax/storage/rocksdb/database.h"

namespace hapax {
namespace {

constexpr size_t kBatchHeaderBytes = 8 + 4;
// RocksDB's tag for data that is only in the log, and its length.
constexpr char kLogDataTag[] = {0x03, kLogIdBytes};

}  // namespace

absl::StatusOr<std::string> NewLogId() {
  std::string id(kLogIdBytes, '\0');
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    return absl::UnavailableError(absl::StrCat("no random bytes: ", std::strerror(errno)));
  }
  return id;
}

absl::Status Stamp(std::string_view log_id, rocksdb::WriteBatch& batch) {
  return FromRocksDb(batch.PutLogData(rocksdb::Slice(log_id.data(), log_id.size())));
}

bool IsStamped(std::string_view batch, std::string_view log_id) {
  return batch.size() >= kStampedBytes &&
         batch.substr(kBatchHeaderBytes, sizeof(kLogDataTag)) == std::string_view(kLogDataTag, sizeof(kLogDataTag)) &&
         batch.substr(kStampedBytes - kLogIdBytes, kLogIdBytes) == log_id;
}

}  // namespace hapax
