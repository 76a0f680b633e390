#include "hapax/interceptors/idempotency/canonical.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/v1/evolution.pb.h"
#include "hapax/tests/v1/shapes.pb.h"

namespace hapax {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using tests::v1::Holder;
using tests::v1::Lists;
using tests::v1::Maps;
using tests::v1::NewRequest;
using tests::v1::OldRequest;
using tests::v1::Presence;
using tests::v1::Scalars;
using tests::v1::UnpackedLists;
using std::string_literals::operator""s;

// The canonical form of each field that is set, one after another.
std::string Canonical(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::string bytes;
  for (const FieldDescriptor* field : fields) AppendCanonicalField(message, *field, &bytes);
  return bytes;
}

// The same of a message that comes in these bytes.
template <typename T>
std::string CanonicalOfWire(const std::string& bytes) {
  T message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return Canonical(message);
}

TEST(CanonicalScalars, EachKindIsWhatTheWireFormatSays) {
  Scalars scalars;
  scalars.set_bytes_value("\x00\xFF"s);
  scalars.set_float_value(1.5F);
  scalars.set_int32_value(-2);
  scalars.set_int64_value(300);
  scalars.set_uint32_value(0xFFFFFFFF);
  scalars.set_uint64_value(1);
  scalars.set_sint32_value(-2);
  scalars.set_sint64_value(2);
  scalars.set_fixed32_value(0x01020304);
  scalars.set_fixed64_value(5);
  scalars.set_sfixed32_value(-1);
  scalars.set_sfixed64_value(-2);
  scalars.set_bool_value(true);
  scalars.set_string_value("hi");
  scalars.set_double_value(-2.0);
  scalars.set_color(tests::v1::COLOR_ANTI_RED);
  const std::string expected =
      "\x0A\x02\x00\xFF"
      "\x15\x00\x00\xC0\x3F"
      "\x18\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
      "\x20\xAC\x02"
      "\x28\xFF\xFF\xFF\xFF\x0F"
      "\x30\x01"
      "\x38\x03"
      "\x40\x04"
      "\x4D\x04\x03\x02\x01"
      "\x51\x05\x00\x00\x00\x00\x00\x00\x00"
      "\x5D\xFF\xFF\xFF\xFF"
      "\x61\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
      "\x68\x01"
      "\x72\x02hi"
      "\x79\x00\x00\x00\x00\x00\x00\x00\xC0"
      "\x80\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s;
  EXPECT_EQ(Canonical(scalars), expected);
}

TEST(CanonicalScalars, C22_TheOrderOnTheWireMakesNoDifference) {
  const std::string one = VarintField(3, 7);
  const std::string two = VarintField(4, 8);
  const std::string three = LengthDelimited(14, "hi");
  EXPECT_EQ(CanonicalOfWire<Scalars>(one + two + three), one + two + three);
  EXPECT_EQ(CanonicalOfWire<Scalars>(three + two + one), one + two + three);
}

TEST(CanonicalScalars, C22_ExplicitDefaultsMakeNoDifference) {
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x18\x00\x72\x00\x68\x00\x80\x01\x00\x15\x00\x00\x00\x00"s), "");
}

TEST(CanonicalScalars, OfSeveralValuesTheLastCounts) {
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x18\x07\x18\x08"s), "\x18\x08"s);
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x18\x07\x18\x00"s), "");
}

TEST(CanonicalScalars, LongVarintsBecomeShort) {
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x18\x87\x80\x80\x00"s), "\x18\x07"s);
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x72\x82\x00hi"s), "\x72\x02hi"s);
  EXPECT_EQ(CanonicalOfWire<Scalars>("\x98\x00\x07"s), "\x18\x07"s);
}

TEST(CanonicalScalars, ZeroAndMinusZeroDiffer) {
  Scalars scalars;
  scalars.set_double_value(-0.0);
  scalars.set_float_value(-0.0F);
  EXPECT_EQ(Canonical(scalars), "\x15\x00\x00\x00\x80\x79\x00\x00\x00\x00\x00\x00\x00\x80"s);
}

TEST(CanonicalScalars, NotANumberIsItsBits) {
  Scalars scalars;
  scalars.set_double_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Canonical(scalars), "\x79\x00\x00\x00\x00\x00\x00\xF8\x7F"s);
}

TEST(CanonicalPresence, ADefaultThatIsSetIsNotTheSameAsNone) {
  Presence presence;
  EXPECT_EQ(Canonical(presence), "");
  presence.set_int32_value(0);
  EXPECT_EQ(Canonical(presence), VarintField(1, 0));
  presence.set_string_value("");
  EXPECT_EQ(Canonical(presence), VarintField(1, 0) + LengthDelimited(2, ""));
  presence.mutable_scalars();
  EXPECT_EQ(Canonical(presence), VarintField(1, 0) + LengthDelimited(2, "") + LengthDelimited(6, ""));
}

TEST(CanonicalPresence, OfAOneofTheLastMemberCounts) {
  const std::string number = VarintField(7, 0);
  const std::string text = LengthDelimited(8, "hi");
  EXPECT_EQ(CanonicalOfWire<Presence>(number), number);
  EXPECT_EQ(CanonicalOfWire<Presence>(number + text), text);
  EXPECT_EQ(CanonicalOfWire<Presence>(text + number), number);
}

TEST(CanonicalPresence, AMessageInPartsIsOne) {
  const std::string int32_field = VarintField(3, 7);
  const std::string int64_field = VarintField(4, 8);
  EXPECT_EQ(CanonicalOfWire<Presence>(LengthDelimited(6, int64_field) + LengthDelimited(6, int32_field)),
            LengthDelimited(6, int32_field + int64_field));
}

TEST(CanonicalLists, C22_PackedAndUnpackedMakeNoDifference) {
  const std::string packed = LengthDelimited(1, Varint(1) + Varint(2) + Varint(3));
  const std::string unpacked = VarintField(1, 1) + VarintField(1, 2) + VarintField(1, 3);
  const std::string partly = VarintField(1, 1) + LengthDelimited(1, Varint(2) + Varint(3)) + LengthDelimited(1, "");
  for (const std::string& wire : {packed, unpacked, partly}) {
    EXPECT_EQ(CanonicalOfWire<Lists>(wire), packed);
    EXPECT_EQ(CanonicalOfWire<UnpackedLists>(wire), packed);
  }
}

TEST(CanonicalLists, NoElementsAreNoList) { EXPECT_EQ(CanonicalOfWire<Lists>(LengthDelimited(1, "")), ""); }

TEST(CanonicalLists, TheOrderOfElementsCounts) {
  EXPECT_NE(CanonicalOfWire<Lists>(LengthDelimited(1, Varint(1) + Varint(2))),
            CanonicalOfWire<Lists>(LengthDelimited(1, Varint(2) + Varint(1))));
  EXPECT_NE(CanonicalOfWire<Lists>(LengthDelimited(7, "a") + LengthDelimited(7, "b")),
            CanonicalOfWire<Lists>(LengthDelimited(7, "b") + LengthDelimited(7, "a")));
}

TEST(CanonicalLists, DefaultsAreElements) {
  const std::string bytes = LengthDelimited(1, Varint(0) + Varint(0)) + LengthDelimited(7, "") + LengthDelimited(9, "");
  EXPECT_EQ(CanonicalOfWire<Lists>(bytes), bytes);
}

TEST(CanonicalLists, WhereAnElementEndsCounts) {
  EXPECT_NE(CanonicalOfWire<Lists>(LengthDelimited(7, "ab") + LengthDelimited(7, "c")),
            CanonicalOfWire<Lists>(LengthDelimited(7, "a") + LengthDelimited(7, "bc")));
}

TEST(CanonicalMaps, C22_TheOrderOfEntriesMakesNoDifference) {
  const std::string a = MapEntry(1, "a", "1");
  const std::string b = MapEntry(1, "b", "2");
  const std::string c = MapEntry(1, "c", "3");
  EXPECT_EQ(CanonicalOfWire<Maps>(a + b + c), a + b + c);
  EXPECT_EQ(CanonicalOfWire<Maps>(c + a + b), a + b + c);
  EXPECT_EQ(CanonicalOfWire<Maps>(b + c + a), a + b + c);
}

TEST(CanonicalMaps, TheOrderOfKeyAndValueMakesNoDifference) {
  const std::string value_first = LengthDelimited(1, LengthDelimited(2, "value") + LengthDelimited(1, "key"));
  EXPECT_EQ(CanonicalOfWire<Maps>(value_first), MapEntry(1, "key", "value"));
}

TEST(CanonicalMaps, DefaultsOfKeyAndValueMakeNoDifference) {
  const std::string entry = MapEntry(1, "", "");
  EXPECT_EQ(CanonicalOfWire<Maps>(entry), entry);
  EXPECT_EQ(CanonicalOfWire<Maps>(LengthDelimited(1, "")), entry);
  EXPECT_EQ(CanonicalOfWire<Maps>(LengthDelimited(1, LengthDelimited(2, ""))), entry);
}

TEST(CanonicalMaps, OfSeveralEntriesOfAKeyTheLastCounts) {
  EXPECT_EQ(CanonicalOfWire<Maps>(MapEntry(1, "key", "old") + MapEntry(1, "key", "new")), MapEntry(1, "key", "new"));
}

TEST(CanonicalMaps, EntriesStandInTheOrderOfTheirEncodedKeys) {
  Maps maps;
  (*maps.mutable_messages())[-1].set_bool_value(true);  // Ten bytes that begin with FF.
  (*maps.mutable_messages())[300];                      // AC 02
  (*maps.mutable_messages())[2];
  const std::string empty = LengthDelimited(2, "");
  EXPECT_EQ(Canonical(maps),
            LengthDelimited(2, VarintField(1, 2) + empty) + LengthDelimited(2, VarintField(1, 300) + empty) +
                LengthDelimited(2, VarintField(1, static_cast<uint64_t>(-1)) + LengthDelimited(2, VarintField(13, 1))));
}

// The canonical form of Scalars, which has the fields 1 to 16, with this content; in a message, as only
// there unknown fields are part of it.
std::string CanonicalContent(const std::string& content) {
  return CanonicalOfWire<Holder>(LengthDelimited(4, content));
}

TEST(CanonicalUnknownFields, StandAmongTheKnownOnesByTheirNumbers) {
  const std::string known = VarintField(3, 7);
  const std::string unknown = VarintField(17, 5) + VarintField(18, 6) + LengthDelimited(19, "hi");
  EXPECT_EQ(CanonicalContent(known + unknown), LengthDelimited(4, known + unknown));
  EXPECT_EQ(CanonicalContent(unknown + known), LengthDelimited(4, known + unknown));
  // Shapes has the fields 2 and 17, and no 4.
  const std::string shapes = LengthDelimited(2, "") + VarintField(4, 9) + LengthDelimited(17, "");
  EXPECT_EQ(
      CanonicalOfWire<Holder>(LengthDelimited(1, LengthDelimited(17, "") + LengthDelimited(2, "") + VarintField(4, 9))),
      LengthDelimited(1, shapes));
}

TEST(CanonicalUnknownFields, C22_TheOrderOfDifferentNumbersMakesNoDifferenceThatOfOneNumberDoes) {
  EXPECT_EQ(CanonicalContent(VarintField(18, 6) + VarintField(17, 5)),
            CanonicalContent(VarintField(17, 5) + VarintField(18, 6)));
  EXPECT_NE(CanonicalContent(VarintField(17, 5) + VarintField(17, 6)),
            CanonicalContent(VarintField(17, 6) + VarintField(17, 5)));
}

TEST(CanonicalUnknownFields, C22_Count) {
  EXPECT_NE(CanonicalContent(VarintField(17, 5)), CanonicalContent(""));
  EXPECT_NE(CanonicalContent(VarintField(17, 0)), CanonicalContent(""));
  EXPECT_NE(CanonicalContent(VarintField(17, 5)), CanonicalContent(VarintField(17, 6)));
  EXPECT_NE(CanonicalContent(VarintField(17, 5)), CanonicalContent(LengthDelimited(17, "\x05")));
}

// What one version of the server sees as unknown, the next one as a field of its own.
TEST(CanonicalUnknownFields, C22_AFieldReadsTheSameBeforeAndAfterTheServerLearnsOfIt) {
  NewRequest request;
  request.mutable_details()->set_color("red");
  request.mutable_details()->set_weight_grams(-70);
  const std::string bytes = request.SerializeAsString();
  EXPECT_EQ(CanonicalOfWire<OldRequest>(bytes), CanonicalOfWire<NewRequest>(bytes));
}

using WireFields = std::vector<std::pair<int, std::string>>;

std::pair<bool, WireFields> WireFieldsOf(std::string_view bytes) {
  WireFields fields;
  const bool well_formed =
      ForEachWireField(bytes, [&](int number, std::string_view field) { fields.emplace_back(number, field); });
  return {well_formed, fields};
}

TEST(ForEachWireField, VisitsFieldsAsTheyCame) {
  const auto [well_formed, fields] = WireFieldsOf("\x72\x02hi\x98\x00\x07\x1D\x01\x02\x03\x04\x72\x00"s);
  EXPECT_TRUE(well_formed);
  EXPECT_THAT(fields, ElementsAre(Pair(14, "\x72\x02hi"s), Pair(3, "\x98\x00\x07"s), Pair(3, "\x1D\x01\x02\x03\x04"s),
                                  Pair(14, "\x72\x00"s)));
}

TEST(ForEachWireField, AGroupIsOneField) {
  const auto [well_formed, fields] = WireFieldsOf("\x0B\x72\x02hi\x0C\x18\x07"s);
  EXPECT_TRUE(well_formed);
  EXPECT_THAT(fields, ElementsAre(Pair(1, "\x0B\x72\x02hi\x0C"s), Pair(3, "\x18\x07"s)));
}

TEST(ForEachWireField, NoBytesAreNoFields) {
  const auto [well_formed, fields] = WireFieldsOf("");
  EXPECT_TRUE(well_formed);
  EXPECT_THAT(fields, IsEmpty());
}

TEST(ForEachWireField, TellsBytesThatAreNotWellFormed) {
  for (const std::string& bytes : {"\x72\x05hi"s, "\x18"s, "\x18\x07\x00"s, "\x0C"s, "\x0B\x18\x07"s, "\x1F\x01"s}) {
    EXPECT_FALSE(WireFieldsOf(bytes).first) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace hapax
