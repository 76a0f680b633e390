#include "hapax/interceptors/limits/request_limits.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/limits/decoding.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/interceptors/random_message.h"
#include "hapax/tests/interceptors/shuffled_wire.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/support/test_seed.h"
#include "hapax/tests/v1/rules.pb.h"
#include "hapax/tests/v1/shapes.pb.h"

// What a request consists of is bounded before it is parsed (C32).
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::v1::Holder;
using tests::v1::Lists;
using tests::v1::Maps;
using tests::v1::Shapes;
using tests::v1::UnpackedLists;

constexpr RequestLimits kNone = {.max_unknown_fields = 0, .max_map_entries = 0, .max_elements = 0, .max_depth = 0};
constexpr RequestLimits kAny = {
    .max_unknown_fields = 1'000'000, .max_map_entries = 1'000'000, .max_elements = 1'000'000, .max_depth = 1'000'000};

template <typename Message>
absl::Status Check(const std::string& bytes, const RequestLimits& limits) {
  return CheckRequest(bytes, *Message::descriptor(), limits);
}

std::string Times(int count, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < count; ++i) all += bytes;
  return all;
}

std::string Group(int number, const std::string& content) {
  const auto tag = static_cast<uint64_t>(number) << 3;
  return Varint(tag | 3) + content + Varint(tag | 4);
}

// `content` within so many messages, each of them field `number` of the next.
std::string Within(int levels, int number, std::string content = "") {
  for (int i = 0; i < levels; ++i) content = LengthDelimited(number, content);
  return content;
}

// So many are allowed, and one more is refused by a message that says so.
template <typename Message>
void ExpectAtMost(const std::string& bytes, int64_t RequestLimits::*limit, int64_t most, const std::string& named) {
  RequestLimits limits = kAny;
  limits.*limit = most;
  EXPECT_THAT(Check<Message>(bytes, limits), IsOk());
  limits.*limit = most - 1;
  const absl::Status refused = Check<Message>(bytes, limits);
  EXPECT_THAT(refused, HasReason(Reason::kInvalidParameter));
  EXPECT_THAT(FieldsOf(refused), ElementsAre("request"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("at most " + std::to_string(most - 1) + " " + named));
}

TEST(CheckRequest, NoBytesAreAllowedAlways) { EXPECT_THAT(Check<Shapes>("", kNone), IsOk()); }

TEST(CheckRequest, C32_UnknownFieldsAreCountedWhereverTheyAre) {
  const auto limit = &RequestLimits::max_unknown_fields;
  const std::string unknown = VarintField(99, 1);
  ExpectAtMost<Shapes>(Times(7, unknown), limit, 7, "fields that this server does not know");
  ExpectAtMost<Shapes>(unknown + Within(3, 6, Times(2, unknown)), limit, 3, "fields");
  ExpectAtMost<Shapes>(LengthDelimited(5, LengthDelimited(2, VarintField(1, 1) + LengthDelimited(2, unknown))), limit,
                       1, "fields");
  // Groups, and what is in them.
  ExpectAtMost<Shapes>(Group(99, Group(1, unknown) + unknown), limit, 4, "fields");
  // Fields of the wrong wire type.
  ExpectAtMost<Shapes>(VarintField(6, 1) + Group(6, ""), limit, 2, "fields");
  EXPECT_THAT(Check<Shapes>(Within(3, 6), {.max_unknown_fields = 0}), IsOk());
}

TEST(CheckRequest, C32_MapEntriesAreCountedTogether) {
  const auto limit = &RequestLimits::max_map_entries;
  const std::string text = MapEntry(1, "same", "value");
  ExpectAtMost<Maps>(Times(5, text), limit, 5, "map entries");
  ExpectAtMost<Maps>(Times(2, text) + LengthDelimited(3, VarintField(1, 1)), limit, 3, "map entries");
  ExpectAtMost<Holder>(LengthDelimited(3, Times(2, text)) + LengthDelimited(1, LengthDelimited(5, text)), limit, 3,
                       "map entries");
}

TEST(CheckRequest, C32_FieldsAndElementsAreCountedTogether) {
  const auto limit = &RequestLimits::max_elements;
  ExpectAtMost<Lists>(LengthDelimited(1, Varint(1) + Varint(300) + Varint(3)), limit, 3, "fields and elements");
  ExpectAtMost<Lists>(LengthDelimited(3, std::string(40, 'x')), limit, 10, "fields and elements");
  ExpectAtMost<Lists>(LengthDelimited(4, std::string(40, 'x')), limit, 5, "fields and elements");
  ExpectAtMost<Lists>(LengthDelimited(5, std::string(40, '\1')), limit, 40, "fields and elements");
  ExpectAtMost<Lists>(Times(9, LengthDelimited(7, "")), limit, 9, "fields and elements");
  ExpectAtMost<Lists>(Times(9, LengthDelimited(9, "")), limit, 9, "fields and elements");
  // Not packed where it might be, and packed where it is declared not to be.
  ExpectAtMost<Lists>(Times(4, VarintField(1, 1)), limit, 4, "fields and elements");
  ExpectAtMost<UnpackedLists>(LengthDelimited(1, std::string(6, '\1')), limit, 6, "fields and elements");
  // A field that is there again and again.
  ExpectAtMost<Shapes>(Times(8, LengthDelimited(6, "")), limit, 8, "fields and elements");
  // An entry, its key and its value.
  ExpectAtMost<Maps>(MapEntry(1, "k", "v"), limit, 3, "fields and elements");
}

TEST(CheckRequest, C32_DepthIsOfMessagesAndGroups) {
  const auto limit = &RequestLimits::max_depth;
  ExpectAtMost<Shapes>(Within(5, 6), limit, 5, "nested messages");
  std::string groups;
  for (int i = 0; i < 6; ++i) groups = Group(99, groups);
  ExpectAtMost<Shapes>(groups, limit, 6, "nested messages");
  ExpectAtMost<Shapes>(Within(2, 6, groups), limit, 8, "nested messages");
  // An entry counts with its map.
  ExpectAtMost<Maps>(LengthDelimited(2, VarintField(1, 1) + LengthDelimited(2, "")), limit, 1, "nested messages");
  EXPECT_THAT(Check<Maps>(MapEntry(1, "k", "v"), {.max_depth = 0}), IsOk());
  // An unknown field of bytes is no message.
  EXPECT_THAT(Check<Shapes>(Within(50, 99), {.max_depth = 0}), IsOk());
}

TEST(CheckRequest, C32_WhatIsWithinAnAnyCounts) {
  using google::protobuf::Any;
  using google::protobuf::ListValue;
  ListValue list;
  for (int i = 0; i < 10; ++i) list.add_values()->set_number_value(i);
  Any any;
  ASSERT_TRUE(any.PackFrom(list));
  // The type, the bytes, ten values and their numbers.
  ExpectAtMost<Any>(any.SerializeAsString(), &RequestLimits::max_elements, 22, "fields and elements");
  Any outer;
  ASSERT_TRUE(outer.PackFrom(any));
  ExpectAtMost<Any>(outer.SerializeAsString(), &RequestLimits::max_depth, 3, "nested messages");
  // To the parser the bytes are bytes.
  any.set_value("\xFF");
  EXPECT_THAT(Check<Any>(any.SerializeAsString(), kAny), IsOk());
  any.set_type_url("example.com/no.such.Type");
  EXPECT_THAT(Check<Any>(any.SerializeAsString(), kAny), IsOk());
}

TEST(CheckRequest, C32_TenThousandsOfLevelsAreRefusedAtTheFirstTooMany) {
  std::string groups = Times(2'000'000, Varint(99 << 3 | 3));
  EXPECT_THAT(Check<Shapes>(groups, {}), HasReason(Reason::kInvalidParameter));
  EXPECT_THAT(Check<Shapes>(Within(20'000, 6), {}), HasReason(Reason::kInvalidParameter));
}

// It takes what the parser takes, and what it takes for malformed the parser does, too.
TEST(CheckRequest, AgreesWithTheParser) {
  Random random(TestSeed());
  for (int i = 0; i < 300; ++i) {
    Shapes shapes;
    FillAtRandom(4, random, &shapes);
    std::string bytes = ShuffledWire(shapes, random) + VarintField(99, 1) + Group(98, VarintField(1, 1));
    EXPECT_THAT(Check<Shapes>(bytes, kAny), IsOk());
    bytes.resize(std::uniform_int_distribution<size_t>(0, bytes.size())(random));
    if (!bytes.empty()) bytes[std::uniform_int_distribution<size_t>(0, bytes.size() - 1)(random)] ^= 1 << (i % 8);
    if (Shapes().ParseFromString(bytes)) {
      EXPECT_THAT(Check<Shapes>(bytes, kAny), IsOk());
    }
  }
}

TEST(RequestLimits, C32_ARuleOnlyNarrows) {
  idempotency::v1::RequestLimits rule;
  const RequestLimits all = RequestLimits().NarrowedBy(rule);
  EXPECT_EQ(all.max_unknown_fields, 1'000);
  EXPECT_EQ(all.max_map_entries, 10'000);
  EXPECT_EQ(all.max_elements, 100'000);
  EXPECT_EQ(all.max_depth, 32);
  rule.set_max_unknown_fields(0);
  rule.set_max_map_entries(20'000);
  rule.set_max_elements(7);
  rule.set_max_depth(2);
  const RequestLimits narrowed = RequestLimits().NarrowedBy(rule);
  EXPECT_EQ(narrowed.max_unknown_fields, 0);
  EXPECT_EQ(narrowed.max_map_entries, 10'000);
  EXPECT_EQ(narrowed.max_elements, 7);
  EXPECT_EQ(narrowed.max_depth, 2);
}

TEST(RequestLimits, C32_DecodingObeysTheRuleOfTheMethod) {
  const Method method = MakeMethod(MethodOf<tests::v1::RuleRequest>("GoodRules", "NarrowRequests"));
  LinkRunner<Decoding> decoding;
  FakeCall allowed(method, Times(2, VarintField(99, 1)));
  EXPECT_EQ(decoding.Run(allowed), "passed on");
  FakeCall refused(method, Times(3, VarintField(99, 1)));
  EXPECT_EQ(decoding.Run(refused), "INVALID_PARAMETER");
  EXPECT_EQ(refused.request, nullptr);
}

TEST(RequestLimits, C32_DecodingObeysTheServersLimitsWithoutARule) {
  const Method method = MakeMethod(MethodOf<tests::v1::RuleRequest>("GoodRules", "Regional"));
  LinkRunner<Decoding> decoding(RequestLimits{.max_unknown_fields = 2});
  FakeCall allowed(method, Times(2, VarintField(99, 1)));
  EXPECT_EQ(decoding.Run(allowed), "passed on");
  FakeCall refused(method, Times(3, VarintField(99, 1)));
  EXPECT_EQ(decoding.Run(refused), "INVALID_PARAMETER");
}

}  // namespace
}  // namespace hapax
