#ifndef HAPAX_TESTS_SUPPORT_LOG_RECORD_H_
#define HAPAX_TESTS_SUPPORT_LOG_RECORD_H_

#include <cstdint>
#include <cstring>
#include <string>

namespace hapax {

// A whole record of RocksDB's log with a valid checksum. Anyone can make such a record and store it as a value, since
// the checksums are not secret. `batch` is its content.
[[nodiscard]] inline std::string SoundLogRecord(const std::string& batch) {
  const std::string checked = '\1' + batch;
  uint32_t crc = ~uint32_t{0};
  for (const char byte : checked) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  crc = ~crc;
  const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8;
  std::string header(6, '\0');
  std::memcpy(header.data(), &masked, sizeof(masked));
  header[4] = static_cast<char>(batch.size() & 0xff);
  header[5] = static_cast<char>(batch.size() >> 8);
  return header + checked;
}

// Like SoundLogRecord, with 39 bytes that are all ASCII, so that a tag may hold them. It is a write with a high
// sequence number. Another `salt` makes another record.
[[nodiscard]] inline std::string SoundLogRecordInAscii(int salt) {
  for (uint32_t nonce = 0;; ++nonce) {
    std::string batch(8, '\x7F');
    batch.append("\1\0\0\0\1\1k\x0F", 8).append("0123456789abcdef");
    batch[batch.size() - 1] = static_cast<char>('a' + salt % 26);
    batch[batch.size() - 2] = static_cast<char>('0' + nonce % 64);
    batch[batch.size() - 3] = static_cast<char>('0' + nonce / 64 % 64);
    std::string record = SoundLogRecord(batch);
    bool is_ascii = true;
    for (const char byte : record) is_ascii = is_ascii && static_cast<uint8_t>(byte) < 0x80;
    if (is_ascii) return record;
  }
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_LOG_RECORD_H_
