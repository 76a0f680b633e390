#include <cstdint>
#include <iostream>
#include <string>

#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/canonical.h"
#include "hapax/tests/interceptors/random_message.h"
#include "hapax/tests/interceptors/shuffled_wire.h"
#include "hapax/tests/v1/orders.pb.h"
#include "hapax/tests/v1/shapes.pb.h"

// What canonical_test.cc says by examples, of messages drawn at random.
namespace hapax {
namespace {

using google::protobuf::util::MessageDifferencer;
using tests::v1::Holder;
using tests::v1::PlaceOrderRequest;
using tests::v1::PlainShapes;
using tests::v1::Shapes;

constexpr uint64_t kFirstSeed = 1;
constexpr uint64_t kSeedCount = 400;
constexpr int kDepth = 3;

// Field `number` of the holder.
std::string Canonical(const Holder& holder, int number) {
  std::string bytes;
  AppendCanonicalField(holder, *Holder::descriptor()->FindFieldByNumber(number), &bytes);
  return bytes;
}

std::string CanonicalShapes(const Holder& holder) { return Canonical(holder, Holder::kShapesFieldNumber); }

Holder RandomShapes(Random& random) {
  Holder holder;
  FillAtRandom(kDepth, random, holder.mutable_shapes());
  return holder;
}

class CanonicalRandomTest : public testing::Test {
 protected:
  // Calls `check` with a generator for each seed, and names the seed that fails.
  template <typename Check>
  void ForEachSeed(Check check) {
    std::cout << "seeds " << kFirstSeed << " to " << kFirstSeed + kSeedCount - 1 << std::endl;
    for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeedCount; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed);
      Random random(seed);
      check(random);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
};

TEST_F(CanonicalRandomTest, C22_EachEncodingOfAMessageHasTheSameForm) {
  ForEachSeed([](Random& random) {
    Holder holder = RandomShapes(random);
    AddUnknownFields(random, holder.mutable_shapes());
    const std::string canonical = CanonicalShapes(holder);
    for (int i = 0; i < 4; ++i) {
      Holder received;
      ASSERT_TRUE(received.mutable_shapes()->ParseFromString(ShuffledWire(holder.shapes(), random)));
      ASSERT_TRUE(MessageDifferencer::Equals(holder, received)) << "the encoding means something else";
      EXPECT_EQ(CanonicalShapes(received), canonical);
    }
  });
}

TEST_F(CanonicalRandomTest, C22_AnotherMeaningHasAnotherForm) {
  ForEachSeed([](Random& random) {
    const Holder holder = RandomShapes(random);
    for (int i = 0; i < 8; ++i) {
      Holder changed = holder;
      ChangeSomething(random, changed.mutable_shapes());
      ASSERT_FALSE(MessageDifferencer::Equals(holder, changed)) << "the change means nothing";
      EXPECT_NE(CanonicalShapes(changed), CanonicalShapes(holder));
    }
  });
}

// An Any that holds the message in these bytes.
std::string CanonicalInAny(const std::string& bytes) {
  PlaceOrderRequest order;
  order.mutable_extra()->set_type_url("type.googleapis.com/" + Shapes::descriptor()->full_name());
  order.mutable_extra()->set_value(bytes);
  std::string canonical;
  AppendCanonicalField(order, *order.GetDescriptor()->FindFieldByNumber(PlaceOrderRequest::kExtraFieldNumber),
                       &canonical);
  return canonical;
}

TEST_F(CanonicalRandomTest, C22_AnAnyHasTheSameFormForEachEncodingOfItsMessageAndForNoOther) {
  ForEachSeed([](Random& random) {
    Holder holder = RandomShapes(random);
    AddUnknownFields(random, holder.mutable_shapes());
    const std::string canonical = CanonicalInAny(holder.shapes().SerializeAsString());
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(CanonicalInAny(ShuffledWire(holder.shapes(), random)), canonical);
      Holder changed = holder;
      ChangeSomething(random, changed.mutable_shapes());
      EXPECT_NE(CanonicalInAny(changed.shapes().SerializeAsString()), canonical);
    }
  });
}

TEST_F(CanonicalRandomTest, TheFormMeansTheMessage) {
  ForEachSeed([](Random& random) {
    Holder holder = RandomShapes(random);
    AddUnknownFields(random, holder.mutable_shapes());
    Holder parsed;
    ASSERT_TRUE(parsed.ParseFromString(CanonicalShapes(holder)));
    EXPECT_TRUE(MessageDifferencer::Equals(holder, parsed));
    EXPECT_EQ(CanonicalShapes(parsed), CanonicalShapes(holder));
  });
}

TEST_F(CanonicalRandomTest, WithoutMapsItIsWhatSerializersSend) {
  ForEachSeed([](Random& random) {
    Holder holder;
    FillAtRandom(kDepth, random, holder.mutable_plain());
    EXPECT_EQ(Canonical(holder, Holder::kPlainFieldNumber), holder.SerializeAsString());
  });
}

}  // namespace
}  // namespace hapax
