#include "hapax/storage/rocksdb/log_check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/log_stamp.h"

namespace hapax {
namespace {

// RocksDB's log has blocks of 32 KiB. Each block has consecutive records from its beginning. A write that does not fit
// into a block goes on in the next as another record; fewer than 7 bytes at the end of a block are unused.
//
//   | masked CRC-32C of type and payload, 4 bytes LE | payload length, 2 bytes LE | type, 1 byte | payload |
constexpr size_t kBlockBytes = size_t{32} << 10;
constexpr size_t kHeaderBytes = 7;
constexpr size_t kTypeOffset = 6;
constexpr uint8_t kFullType = 1;   // A whole write.
constexpr uint8_t kFirstType = 2;  // The first part of a write.

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  constexpr uint32_t kCastagnoli = 0x82f63b78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    table[byte] = crc;
  }
  return table;
}();

uint32_t MaskedCrc(std::string_view bytes) {
  constexpr uint32_t kMaskDelta = 0xa282ead8;
  uint32_t crc = ~uint32_t{0};
  for (char byte : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ (crc >> 8);
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + kMaskDelta;
}

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
size_t LengthOf(std::string_view record) { return ByteAt(record, 4) | size_t{ByteAt(record, 5)} << 8; }

// Whether the bytes begin with a record of this payload length and a correct checksum.
bool IsSound(std::string_view bytes, size_t length) {
  if (kHeaderBytes + length > bytes.size()) return false;
  uint32_t crc = 0;
  std::memcpy(&crc, bytes.data(), sizeof(crc));
  return crc == MaskedCrc(bytes.substr(kTypeOffset, 1 + length));
}

bool BeginsWrite(uint8_t type) { return type == kFullType || type == kFirstType; }

// The bytes of a log, mapped into memory.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat info {};
    is_readable_ = ::fstat(file, &info) == 0;
    if (is_readable_ && info.st_size > 0) {
      void* const mapped = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      is_readable_ = mapped != MAP_FAILED;
      if (is_readable_) bytes_ = {static_cast<const char*>(mapped), static_cast<size_t>(info.st_size)};
    }
    ::close(file);
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] bool is_readable() const { return is_readable_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  bool is_readable_ = false;
  std::string_view bytes_;
};

// Checks the logs of one directory, in the order in which they were written.
class LogCheck {
 public:
  explicit LogCheck(std::string_view log_id) : log_id_(log_id) {}

  absl::Status Check(const std::filesystem::path& path) {
    const MappedFile file(path);
    if (!file.is_readable()) return absl::UnavailableError(absl::StrCat("cannot read ", path.string()));
    log_ = file.bytes();
    const std::optional<size_t> cut_off = FindCutOff();
    if (!cut_off.has_value()) return absl::OkStatus();
    const std::string_view rest = RestOfBlock(*cut_off);
    if (rest.size() >= kHeaderBytes && IsSound(rest, rest.size() - kHeaderBytes) && MayBeOurs(*cut_off, rest.size())) {
      return absl::DataLossError(absl::StrCat(path.string(), ": the record at ", *cut_off, " has a wrong length"));
    }
    for (size_t at = *cut_off + 1; at < log_.size(); ++at) {
      if (!IsOurWrite(at)) continue;
      return absl::DataLossError(absl::StrCat(path.string(), ": the record at ", *cut_off,
                                              " is damaged, and the log goes on behind it, at ", at));
    }
    return absl::OkStatus();
  }

 private:
  [[nodiscard]] std::string_view RestOfBlock(size_t at) const {
    return log_.substr(at, kBlockBytes - at % kBlockBytes);
  }

  // Returns where RocksDB would stop at a record that seems cut off, or nullopt when it reads the whole log. Records
  // the numbers of the writes before.
  std::optional<size_t> FindCutOff() {
    for (size_t at = 0; at < log_.size();) {
      const std::string_view rest = RestOfBlock(at);
      if (rest.size() < kHeaderBytes) {
        at += rest.size();
        continue;
      }
      const size_t size = kHeaderBytes + LengthOf(rest);
      const bool is_zero = LengthOf(rest) == 0 && ByteAt(rest, kTypeOffset) == 0;
      if (is_zero || size > rest.size()) return at;
      if (BeginsWrite(ByteAt(rest, kTypeOffset))) last_number_ = std::max(last_number_, NumberOf(BatchAt(at)));
      at += size;
    }
    return std::nullopt;
  }

  // Whether a sound record at this position begins a write of ours. The cheap checks come first: a value full of fake
  // record headers must not delay the start.
  [[nodiscard]] bool IsOurWrite(size_t at) const {
    const std::string_view rest = RestOfBlock(at);
    if (rest.size() <= kHeaderBytes || !BeginsWrite(ByteAt(rest, kTypeOffset))) return false;
    const size_t size = kHeaderBytes + LengthOf(rest);
    return size <= rest.size() && MayBeOurs(at, size) && IsSound(rest, size - kHeaderBytes);
  }

  // Whether the record, of `size` bytes with its header, may be ours: it begins no write, or it has our mark.
  [[nodiscard]] bool MayBeOurs(size_t at, size_t size) const {
    if (log_id_.empty() || !BeginsWrite(ByteAt(log_, at + kTypeOffset))) return true;
    const std::string_view payload = log_.substr(at + kHeaderBytes, size - kHeaderBytes);
    if (payload.size() >= kStampedBytes) return IsOurs(payload);
    if (size != RestOfBlock(at).size()) return false;
    return IsOurs(absl::StrCat(ToAbsl(payload), ToAbsl(Continuation(at + size, kStampedBytes - payload.size()))));
  }
  [[nodiscard]] bool IsOurs(std::string_view batch) const {
    return IsStamped(batch, log_id_) && NumberOf(batch) > last_number_;
  }
  static absl::string_view ToAbsl(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

  // The first bytes of a batch; they may continue in the next block.
  [[nodiscard]] std::string BatchAt(size_t at) const {
    const std::string_view rest = RestOfBlock(at);
    const size_t length = std::min(LengthOf(rest), rest.size() - kHeaderBytes);
    std::string batch(rest.substr(kHeaderBytes, std::min(length, sizeof(uint64_t))));
    if (batch.size() < sizeof(uint64_t))
      batch += Continuation(at + kHeaderBytes + length, sizeof(uint64_t) - batch.size());
    return batch;
  }

  // The first payload bytes of the record at this position; empty if the record is not sound.
  [[nodiscard]] std::string_view Continuation(size_t at, size_t count) const {
    if (at >= log_.size()) return {};
    const std::string_view rest = RestOfBlock(at);
    if (rest.size() < kHeaderBytes || !IsSound(rest, LengthOf(rest))) return {};
    return rest.substr(kHeaderBytes, std::min(LengthOf(rest), count));
  }

  // The number of the first row in a batch.
  static uint64_t NumberOf(std::string_view batch) {
    static_assert(std::endian::native == std::endian::little);
    uint64_t number = 0;
    if (batch.size() >= sizeof(number)) std::memcpy(&number, batch.data(), sizeof(number));
    return number;
  }

  const std::string_view log_id_;
  std::string_view log_;
  uint64_t last_number_ = 0;  // The highest number so far.
};

}  // namespace

absl::Status CheckLogs(const std::string& path, std::string_view log_id) {
  std::error_code error;
  std::vector<std::filesystem::path> logs;
  for (const auto& file : std::filesystem::directory_iterator(path, error)) {
    if (file.path().extension() == ".log") logs.push_back(file.path());
  }
  // The names are numbers, so the shorter name is the lower number.
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.native().size(), a.native()) < std::make_pair(b.native().size(), b.native());
  });
  LogCheck check(log_id);
  for (const std::filesystem::path& log : logs) HAPAX_RETURN_IF_ERROR(check.Check(log));
  return absl::OkStatus();
}

}  // namespace hapax
