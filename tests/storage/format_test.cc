#include "hapax/storage/format.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr std::string_view kKey = "some key";

store::v1::TokenRecord Record() {
  store::v1::TokenRecord record;
  record.set_method("hapax.compute.v1.Compute/RunInstances");
  record.mutable_fingerprint()->set_exact("digest");
  record.mutable_executed_at()->set_seconds(1'700'000'000);
  record.set_reply(std::string("\0reply\xFF", 7));
  return record;
}

absl::Status Decode(std::string_view key, std::string_view value) {
  store::v1::TokenRecord record;
  return DecodeRow(key, value, &record);
}

TEST(EncodeRow, IsReadBackByDecodeRow) {
  store::v1::TokenRecord record;
  ASSERT_THAT(DecodeRow(kKey, EncodeRow(kKey, Record()), &record), IsOk());
  EXPECT_EQ(record.SerializeAsString(), Record().SerializeAsString());
}

TEST(EncodeRow, AnEmptyMessageIsReadBackToo) {
  store::v1::TokenRecord record = Record();
  ASSERT_THAT(DecodeRow(kKey, EncodeRow(kKey, store::v1::TokenRecord()), &record), IsOk());
  EXPECT_EQ(record.SerializeAsString(), "");
}

// The bytes of a row in format versions 1 and 2. A data directory in use holds rows like this one: when this test
// fails, it is the code that is wrong, unless kFormatVersion changes with it.
TEST(EncodeRow, WritesTheBytesOfItsFormatVersions) {
  store::v1::TokenRecord record;
  record.set_method("m");
  record.set_reply("r");
  EXPECT_EQ(EncodeRow("k", record), std::string("\x01"                 // Layout version.
                                                "\xB6\x51\xB3\xDD"     // CRC-32 of "k" and what follows.
                                                "\x0A\x01m\x22\x01r",  // Fields 1 and 4.
                                                11));
  EXPECT_EQ(kFormatVersion, 2);
}

TEST(DecodeRow, AnyChangedByteIsDataLoss) {
  const std::string value = EncodeRow(kKey, Record());
  for (size_t i = 0; i < value.size(); ++i) {
    for (int change = 1; change < 256; ++change) {
      std::string damaged = value;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      ASSERT_THAT(Decode(kKey, damaged), StatusIs(StatusCode::kDataLoss)) << "byte " << i << " xor " << change;
    }
  }
}

TEST(DecodeRow, AValueThatIsCutOffIsDataLoss) {
  const std::string value = EncodeRow(kKey, Record());
  for (size_t size = 0; size < value.size(); ++size) {
    EXPECT_THAT(Decode(kKey, std::string_view(value).substr(0, size)), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

TEST(DecodeRow, ATrailingByteIsDataLoss) {
  EXPECT_THAT(Decode(kKey, EncodeRow(kKey, Record()) + '\0'), StatusIs(StatusCode::kDataLoss));
}

TEST(DecodeRow, AnotherKeysValueIsDataLoss) {
  const std::string value = EncodeRow(kKey, Record());
  for (size_t i = 0; i < kKey.size(); ++i) {
    std::string other(kKey);
    ++other[i];
    EXPECT_THAT(Decode(other, value), StatusIs(StatusCode::kDataLoss, HasSubstr("checksum"))) << other;
  }
  EXPECT_THAT(Decode("", value), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(Decode(kKey.substr(1), value), StatusIs(StatusCode::kDataLoss));
}

TEST(DecodeRow, AnotherLayoutVersionIsDataLossThatNamesIt) {
  std::string value = EncodeRow(kKey, Record());
  value[0] = '\xFE';
  EXPECT_THAT(Decode(kKey, value), StatusIs(StatusCode::kDataLoss, HasSubstr("version 254")));
}

TEST(DecodeRow, AnotherMessageThatCannotBeTheExpectedOneIsDataLoss) {
  google::protobuf::BytesValue not_text;  // Its field 1 is bytes, the record's is text.
  not_text.set_value("\xFF");
  EXPECT_THAT(Decode(kKey, EncodeRow(kKey, not_text)), StatusIs(StatusCode::kDataLoss, HasSubstr("message")));
}

TEST(TableName, OnDiskNamesStay) {
  EXPECT_EQ(TableName(Table::kMeta), "default");
  EXPECT_EQ(TableName(Table::kTokens), "tokens");
  EXPECT_EQ(TableName(Table::kResources), "services");
  EXPECT_EQ(TableName(Table::kWork), "work");
  EXPECT_EQ(TableName(Table::kOperations), "operations");
}

}  // namespace
}  // namespace hapax
