// Rows of tokens: what was encoded is decoded; what is damaged, or stands at another key, is not.
#include <algorithm>
#include <string>

#include "hapax/base/check.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax {
namespace {

using store::v1::TokenRecord;

constexpr size_t kHeaderSize = 5;
constexpr size_t kChecksumSize = 4;

// Any bytes under any key.
void CheckForeign(const std::string& key, const std::string& value) {
  TokenRecord record;
  const absl::Status decoded = DecodeRow(key, value, &record);
  HAPAX_CHECK(decoded.ok() || absl::IsDataLoss(decoded), "a row that cannot be read is DATA_LOSS");
  if (!decoded.ok()) return;
  static_cast<void>(StateAt(record, absl::UnixEpoch()));
  TokenRecord again;
  HAPAX_CHECK(DecodeRow(key, EncodeRow(key, record), &again).ok(), "what is read can be written");
  HAPAX_CHECK(again.SerializeAsString() == record.SerializeAsString(), "and read again");
}

// Changes up to four bytes that lie together, which every CRC-32 finds: the record's, the checksum's, or the key's.
void CheckDamage(Input& input, std::string key, std::string value, const TokenRecord& record) {
  const bool of_key = (input.Byte() & 1) != 0;
  std::string& damaged = of_key ? key : value;
  if (damaged.empty()) return;
  const size_t at = input.Number(2) % damaged.size();
  const size_t begin_of_part = of_key || at == 0 ? 0 : at < kHeaderSize ? 1 : kHeaderSize;
  const size_t end_of_part = of_key ? damaged.size() : at == 0 ? 1 : at < kHeaderSize ? kHeaderSize : damaged.size();
  const std::string before = damaged;
  for (size_t i = std::max(at, begin_of_part); i < end_of_part && i < at + kChecksumSize; ++i) {
    damaged[i] = static_cast<char>(damaged[i] ^ static_cast<char>(input.Byte()));
  }
  TokenRecord found;
  const absl::Status decoded = DecodeRow(key, value, &found);
  HAPAX_CHECK(decoded.ok() == (damaged == before), "a damaged row is never taken for sound");
  HAPAX_CHECK(!decoded.ok() || found.SerializeAsString() == record.SerializeAsString(), "a sound one is itself");
}

// Cut short, it is not a row.
void CheckCut(Input& input, const std::string& key, const std::string& value) {
  const size_t kept = input.Number(2) % value.size();
  TokenRecord found;
  if (kept < kHeaderSize) HAPAX_CHECK(!DecodeRow(key, value.substr(0, kept), &found).ok(), "there is no header");
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  Input input(data, size);
  const TokenKey names{
      .tenant = input.String(), .region = input.String(), .zone = input.String(), .token = input.String()};
  const std::string key = EncodeTokenKey(names);
  const std::string bytes = input.LongString();
  CheckForeign(key, bytes);
  TokenRecord record;
  if (!record.ParseFromString(bytes)) return 0;
  const std::string value = EncodeRow(key, record);
  CheckForeign(key, value);
  CheckCut(input, key, value);
  CheckDamage(input, key, value, record);
  return 0;
}
