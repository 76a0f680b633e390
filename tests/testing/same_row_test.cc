#include "hapax/testing/same_row.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/storage/format.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using test::v1::DepositRequest;
using tests::v1::PlaceOrderRequest;

// A serialized request with one label.
std::string Labelled(const std::string& key, const std::string& value) {
  PlaceOrderRequest request;
  (*request.mutable_labels())[key] = value;
  return request.SerializeAsString();
}

std::string Item(const std::string& item) {
  PlaceOrderRequest request;
  request.set_item(item);
  return request.SerializeAsString();
}

TEST(SameRowTest, ValuesThatAreNoMessageAreComparedByteByByte) {
  EXPECT_TRUE(IsSameRowValue("", ""));
  EXPECT_TRUE(IsSameRowValue("17", "17"));
  EXPECT_FALSE(IsSameRowValue("17", "71"));
  EXPECT_FALSE(IsSameRowValue("17", "171"));
  EXPECT_FALSE(IsSameRowValue("17", ""));
}

TEST(SameRowTest, TheOrderOfAMapsEntriesMakesNoDifference) {
  const std::string ab = Labelled("a", "1") + Labelled("b", "2");
  const std::string ba = Labelled("b", "2") + Labelled("a", "1");
  ASSERT_NE(ab, ba);
  EXPECT_TRUE(IsSameRowValue(ab, ba));
  EXPECT_TRUE(IsSameRowValue(ab + Item("x"), ba + Item("x")));
  EXPECT_FALSE(IsSameRowValue(ab + Item("x"), ba + Item("y")));
  EXPECT_FALSE(IsSameRowValue(ab, Labelled("a", "2") + Labelled("b", "1"))) << "the values belong to other keys";
  EXPECT_FALSE(IsSameRowValue(ab, Labelled("a", "1") + Labelled("a", "1")));
}

TEST(SameRowTest, NorDoesItWithinAMessageOrUnderAChecksum) {
  // A message in a field of number 8, whose bytes are those of a message with a map.
  const auto nested = [](const std::string& bytes) {
    DepositRequest request;
    EXPECT_TRUE(request.mutable_nested()->ParseFromString(""));
    std::string outer = request.SerializeAsString();
    outer.back() = static_cast<char>(bytes.size());
    return outer + bytes;
  };
  const std::string ab = Labelled("a", "1") + Labelled("b", "2");
  const std::string ba = Labelled("b", "2") + Labelled("a", "1");
  EXPECT_TRUE(IsSameRowValue(nested(ab), nested(ba)));
  EXPECT_FALSE(IsSameRowValue(nested(ab), nested(Labelled("a", "1") + Labelled("c", "2"))));

  // With the header of a row, whose checksum is another one for each order.
  const auto row = [](const std::string& payload, char checksum) {
    return std::string("\1") + std::string(4, checksum) + payload;
  };
  EXPECT_TRUE(IsSameRowValue(row(ab, 'x'), row(ba, 'y')));
  EXPECT_FALSE(IsSameRowValue(row(Item("a"), 'x'), row(Item("b"), 'y')));
}

TEST(SameRowTest, TheOrderOfAListDoes) {
  // Field number 1 twice, as a list of strings has it.
  EXPECT_FALSE(
      IsSameRowValue("\x0a\x01"
                     "a"
                     "\x0a\x01"
                     "b",
                     "\x0a\x01"
                     "b"
                     "\x0a\x01"
                     "a"));
  // A list of messages with a third field.
  const auto element = [](const std::string& account) {
    DepositRequest request;
    request.mutable_nested()->set_account(account);
    return request.SerializeAsString();
  };
  EXPECT_FALSE(IsSameRowValue(element("a") + element("b"), element("b") + element("a")));
}

}  // namespace
}  // namespace hapax
