#include "hapax/storage/key.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_seed.h"

namespace hapax {
namespace {

using absl::StatusCode;
using Element = std::variant<std::string, uint64_t>;
using Tuple = std::vector<Element>;

constexpr int kRounds = 20'000;

std::string Encode(const Tuple& tuple) {
  KeyBuilder builder;
  for (const Element& element : tuple) {
    if (const auto* text = std::get_if<std::string>(&element)) {
      builder.String(*text);
    } else {
      builder.Uint64(std::get<uint64_t>(element));
    }
  }
  return builder.Build();
}

// Short strings of few distinct bytes, those that the encoding treats in a special way among them, and
// numbers near each other: so that equal beginnings and near misses are frequent.
class RandomKeys {
 public:
  explicit RandomKeys(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  std::string Bytes() {
    constexpr std::string_view kAlphabet(
        "\x00\x01\x02\xFE\xFF"
        "a",
        6);
    std::string bytes(Below(5), '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return kAlphabet[Below(kAlphabet.size())]; });
    return bytes;
  }

  uint64_t Number() {
    constexpr uint64_t kNear[] = {0, 0xFF, uint64_t{1} << 32, uint64_t{1} << 63, std::numeric_limits<uint64_t>::max()};
    return Below(8) == 0 ? random_() : kNear[Below(std::size(kNear))] + Below(3);
  }

  // A tuple whose element i is a string when bit i of `kinds` is set.
  Tuple TupleOf(size_t size, uint64_t kinds) {
    Tuple tuple;
    for (size_t i = 0; i < size; ++i) tuple.push_back((kinds >> i & 1) != 0 ? Element(Bytes()) : Element(Number()));
    return tuple;
  }

 private:
  std::mt19937_64 random_;
};

bool Contains(const KeyRange& range, std::string_view key) {
  return key >= range.begin && (range.end.empty() || key < range.end);
}

TEST(KeyBuilder, KeysCompareAsTheirElements) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const size_t size = 1 + random.Below(3);
    const uint64_t kinds = random.Below(8);
    const Tuple a = random.TupleOf(size, kinds);
    const Tuple b = random.TupleOf(size, kinds);
    ASSERT_EQ(Encode(a) < Encode(b), a < b) << testing::PrintToString(a) << " and " << testing::PrintToString(b);
    ASSERT_EQ(Encode(a) == Encode(b), a == b) << testing::PrintToString(a) << " and " << testing::PrintToString(b);
  }
}

TEST(KeyBuilder, NoKeyIsThePrefixOfAnother) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const Tuple a = random.TupleOf(2, 0b11);
    const Tuple b = random.TupleOf(2, 0b11);
    if (a == b) continue;
    ASSERT_FALSE(Encode(a).starts_with(Encode(b))) << testing::PrintToString(a) << " and " << testing::PrintToString(b);
  }
}

TEST(KeyBuilder, ATuplesKeyIsThePrefixOfEveryLongerTuplesKey) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const Tuple longer = random.TupleOf(3, random.Below(8));
    ASSERT_TRUE(Encode(longer).starts_with(Encode({longer[0], longer[1]})));
  }
}

TEST(KeyBuilder, WritesTheDocumentedBytes) {
  const std::string key =
      KeyBuilder().String(std::string_view("a\0b", 3)).Uint64(0x0102030405060708).String("").Build();
  EXPECT_EQ(key, std::string("a\0\xFF"
                             "b\0\1\1\2\3\4\5\6\7\x08\0\1",
                             16));
}

TEST(KeyParser, GivesBackTheElements) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const Tuple tuple = random.TupleOf(random.Below(5), random.Below(16));
    const std::string key = Encode(tuple);
    KeyParser parser(key);
    for (const Element& element : tuple) {
      ASSERT_FALSE(parser.AtEnd());
      if (const auto* text = std::get_if<std::string>(&element)) {
        ASSERT_THAT(parser.String(), IsOkAndHolds(*text));
      } else {
        ASSERT_THAT(parser.Uint64(), IsOkAndHolds(std::get<uint64_t>(element)));
      }
    }
    ASSERT_TRUE(parser.AtEnd());
  }
}

TEST(KeyParser, AStringThatIsCutOffIsDataLoss) {
  const std::string key = KeyBuilder().String(std::string_view("ab\0c", 4)).Build();
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_THAT(KeyParser(std::string_view(key).substr(0, size)).String(), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

TEST(KeyParser, AnEscapeThatIsNoneIsDataLoss) {
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == 0x01 || byte == 0xFF) continue;
    const std::string key = {'a', '\0', static_cast<char>(byte), 'b', '\0', '\1'};
    EXPECT_THAT(KeyParser(key).String(), StatusIs(StatusCode::kDataLoss)) << byte;
  }
}

TEST(KeyParser, ANumberThatIsCutOffIsDataLoss) {
  const std::string key = KeyBuilder().Uint64(7).Build();
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_THAT(KeyParser(std::string_view(key).substr(0, size)).Uint64(), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

TEST(KeyRange, PrefixHoldsExactlyTheKeysThatBeginWithIt) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const std::string prefix = random.Bytes();
    const std::string key = random.Bytes() + random.Bytes();
    ASSERT_EQ(Contains(KeyRange::Prefix(prefix), key), key.starts_with(prefix))
        << testing::PrintToString(prefix) << " and " << testing::PrintToString(key);
  }
}

TEST(KeyRange, APrefixOfOnlyFFHasNoEnd) {
  const KeyRange range = KeyRange::Prefix("\xFF\xFF");
  EXPECT_EQ(range.end, "");
  EXPECT_TRUE(Contains(range, "\xFF\xFF\xFF\xFF"));
  EXPECT_FALSE(Contains(range, "\xFF\xFE\xFF"));
}

TEST(KeyRange, AfterHoldsExactlyTheLaterKeysOfTheRange) {
  RandomKeys random(TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const KeyRange range = KeyRange::Prefix(random.Bytes());
    const std::string last = random.Bytes();
    const std::string key = random.Below(4) == 0 ? last + '\0' : random.Bytes();
    ASSERT_EQ(Contains(KeyRange::After(range, last), key), Contains(range, key) && key > last)
        << testing::PrintToString(last) << " and " << testing::PrintToString(key);
  }
}

}  // namespace
}  // namespace hapax
