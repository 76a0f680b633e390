#include "hapax/tests/interceptors/idempotency/golden_records.h"

#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/idempotency/canonical.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/interceptors/idempotency/resolved_fields.h"
#include "hapax/tests/interceptors/shuffled_wire.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_seed.h"

namespace hapax {
namespace {

using google::protobuf::Message;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kEncodings = 20;

std::unique_ptr<Message> Parsed(const Method& method, const std::string& bytes) {
  std::unique_ptr<Message> request(method.request->New());
  EXPECT_TRUE(request->ParseFromString(bytes));
  return request;
}

absl::StatusOr<std::vector<std::string>> Differing(const GoldenRecord& golden, const Method& method,
                                                   const std::string& bytes) {
  store::v1::Fingerprint recorded = golden.record.fingerprint();
  recorded.clear_exact();
  return DifferingFields(recorded, method, *Parsed(method, bytes), bytes);
}

// The encodings of the top-level fields, by number.
std::map<int, std::string> FieldsIn(const std::string& bytes) {
  std::map<int, std::string> fields;
  EXPECT_TRUE(ForEachWireField(bytes, [&](int number, std::string_view field) { fields[number] += field; }));
  return fields;
}

// The fields in the opposite order.
std::string Reversed(const std::string& bytes) {
  std::string reversed;
  for (const auto& [number, field] : FieldsIn(bytes)) reversed.insert(0, field);
  return reversed;
}

// Another encoding, drawn at random; what the definition does not know keeps its bytes, and comes first.
std::string Shuffled(const Method& method, const std::string& bytes, Random& random) {
  const std::unique_ptr<Message> request = Parsed(method, bytes);
  std::string unknown;
  for (const auto& [number, field] : FieldsIn(bytes)) {
    if (request->GetDescriptor()->FindFieldByNumber(number) == nullptr) unknown += field;
  }
  request->GetReflection()->MutableUnknownFields(request.get())->Clear();
  return unknown + ShuffledWire(*request, random);
}

std::string NameOf(const Method& method, int number) {
  const auto* const field = method.request->GetDescriptor()->FindFieldByNumber(number);
  return field == nullptr ? absl::StrCat("unknown field ", number) : field->name();
}

}  // namespace

std::vector<GoldenRecord> ReadGoldenRecords(const std::string& path) {
  std::vector<GoldenRecord> golden;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    GoldenRecord& read = golden.emplace_back();
    std::istringstream words(line);
    std::string request;
    std::string record;
    words >> read.name >> read.method >> request >> record;
    read.request = absl::HexStringToBytes(request);
    EXPECT_TRUE(read.record.ParseFromString(absl::HexStringToBytes(record))) << line;
  }
  EXPECT_FALSE(golden.empty()) << path;
  return golden;
}

void ExpectMadeTheSame(const GoldenRecord& golden, const Method& method, const Message* defaults) {
  EXPECT_EQ(golden.method, method.name);
  EXPECT_EQ(golden.record.method(), method.name);
  const store::v1::Fingerprint& recorded = golden.record.fingerprint();
  for (const FingerprintVersion& version : FingerprintVersions()) {
    if (version.number != recorded.version()) continue;
    auto today = MakeFingerprint(method, *Parsed(method, golden.request), golden.request, {&version, 1});
    if (defaults != nullptr) {
      AddResolvedFields(method, *Parsed(method, golden.request), *defaults, &today, {&version, 1});
    }
    EXPECT_EQ(today.SerializeAsString(), recorded.SerializeAsString())
        << today.DebugString() << "is made of " << golden.name << " today";
    return;
  }
  ADD_FAILURE() << golden.name << " has version " << recorded.version() << ", which is not known any more";
}

void ExpectRetryIsTheSame(const GoldenRecord& golden, const Method& method) {
  EXPECT_THAT(DifferingFields(golden.record.fingerprint(), method, *Parsed(method, golden.request), golden.request),
              IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Differing(golden, method, golden.request), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Differing(golden, method, Reversed(golden.request)), IsOkAndHolds(IsEmpty()));
  static const uint64_t kSeed = TestSeed();
  Random random(kSeed);
  for (int i = 0; i < kEncodings; ++i) {
    const std::string other = Shuffled(method, golden.request, random);
    EXPECT_THAT(Differing(golden, method, other), IsOkAndHolds(IsEmpty())) << absl::BytesToHexString(other);
  }
}

void ExpectEachFieldCounts(const GoldenRecord& golden, const Method& method) {
  const std::map<int, std::string> fields = FieldsIn(golden.request);
  for (const auto& [left_out, encoding] : fields) {
    if (left_out == method.rule->token_field().TopLevelNumber()) continue;
    if (left_out == method.rule->region_field().TopLevelNumber()) continue;
    std::string bytes;
    for (const auto& [number, field] : fields) bytes += number == left_out ? "" : field;
    EXPECT_THAT(Differing(golden, method, bytes), IsOkAndHolds(ElementsAre(NameOf(method, left_out))));
  }
}

}  // namespace hapax
