#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/tests/support/test_methods.h"

// What retries get when the request's message changed between a call and its retry: the table "What a retry gets" of
// docs/changing-rules.md, row by row (tests/docs/upgrades_test.py holds the two together).
namespace hapax {
namespace {

// A version of a service: its request has these fields besides token and region, in protobuf's text format.
class Version {
 public:
  explicit Version(const std::string& fields) : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        absl::StrCat(R"(name: "version.proto" package: "v" syntax: "proto3"
                        dependency: "hapax/idempotency/v1/rule.proto"
                        service { name: "S" method { name: "M" input_type: ".v.Q" output_type: ".v.P" } }
                        message_type { name: "P" }
                        message_type { name: "Q" field { name: "client_token" number: 1 type: TYPE_STRING }
                                       field { name: "region" number: 2 type: TYPE_STRING })",
                     fields, " }"),
        &file));
    auto* const rule =
        file.mutable_service(0)->mutable_method(0)->mutable_options()->MutableExtension(idempotency::v1::rule);
    rule->set_token_field("client_token");
    rule->mutable_scope()->set_region_field("region");
    const auto& built = *pool_.BuildFile(file);
    type_ = built.FindMessageTypeByName("Q");
    method_ = MakeMethod(*built.FindServiceByName("S")->FindMethodByName("M"));
  }

  [[nodiscard]] const Method& method() const { return method_; }
  // What a client of this version sends.
  [[nodiscard]] std::string Encode(const std::string& text) {
    const std::unique_ptr<google::protobuf::Message> request(factory_.GetPrototype(type_)->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << text;
    return request->SerializeAsString();
  }
  // What a server of this version makes of the bytes; null when it cannot parse them.
  [[nodiscard]] std::unique_ptr<google::protobuf::Message> Decode(const std::string& bytes) {
    std::unique_ptr<google::protobuf::Message> request(factory_.GetPrototype(type_)->New());
    return request->ParseFromString(bytes) ? std::move(request) : nullptr;
  }

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  const google::protobuf::Descriptor* type_ = nullptr;
  Method method_;
};

struct Row {
  const char* change;
  const char* then_fields;
  const char* now_fields;
  const char* then_request;  // As a client of then has it, and
  const char* now_request;   // as one of now has the same.
  const char* old_client;    // What its retry gets, and
  const char* new_client;    // what that of a client of now gets.
};

constexpr char kN[] = "field { name: 'n' number: 3 type: TYPE_INT32 }";
constexpr char kS[] = "field { name: 's' number: 3 type: TYPE_STRING }";
constexpr char kPackedList[] = "field { name: 'l' number: 3 type: TYPE_INT32 label: LABEL_REPEATED }";
constexpr char kUnpackedList[] =
    "field { name: 'l' number: 3 type: TYPE_INT32 label: LABEL_REPEATED options { packed: false } }";
constexpr char kOptional[] =
    "field { name: 'n' number: 3 type: TYPE_INT32 proto3_optional: true oneof_index: 0 } oneof_decl { name: '_n' }";

const Row kRows[] = {
    {"a field is added, and left unset", "", kN, "", "", "replayed", "replayed"},
    {"a field is added, and set by the retry", "", kN, "", "n: 7", "replayed", "mismatch"},
    {"a field is removed", kN, "", "n: 7", "", "replayed", "mismatch"},
    {"a field is renamed", kN, "field { name: 'm' number: 3 type: TYPE_INT32 }", "n: 7", "m: 7", "replayed",
     "replayed"},
    {"a field gets another number", kN, "field { name: 'n' number: 4 type: TYPE_INT32 }", "n: 7", "n: 7", "replayed",
     "mismatch"},
    {"`int32` becomes `int64`", kN, "field { name: 'n' number: 3 type: TYPE_INT64 }", "n: 7", "n: 7", "replayed",
     "replayed"},
    {"`string` becomes `bytes`", kS, "field { name: 's' number: 3 type: TYPE_BYTES }", "s: 'a'", "s: 'a'", "replayed",
     "replayed"},
    {"`int32` becomes `string`", kN, kS, "n: 7", "s: '7'", "replayed", "mismatch"},
    {"`int32` becomes `sint32`", kN, "field { name: 'n' number: 3 type: TYPE_SINT32 }", "n: 7", "n: 7", "replayed",
     "mismatch"},
    {"a list is no longer packed", kPackedList, kUnpackedList, "l: 7 l: 8", "l: 7 l: 8", "replayed", "replayed"},
    {"a list is packed from now on", kUnpackedList, kPackedList, "l: 7 l: 8", "l: 7 l: 8", "replayed", "replayed"},
    {"a field becomes `optional`, and has a value", kN, kOptional, "n: 7", "n: 7", "replayed", "replayed"},
    {"a field becomes `optional`, and the retry sets its default", kN, kOptional, "n: 0", "n: 0", "replayed",
     "mismatch"},
    {"a field becomes a list of one", kN, kPackedList, "n: 7", "l: 7", "replayed", "mismatch"},
};

// What the server of `now` makes of a retry.
std::string Retry(const store::v1::Fingerprint& recorded, Version& now, const std::string& bytes) {
  const auto request = now.Decode(bytes);
  if (request == nullptr) return "refused";
  const auto differing = DifferingFields(recorded, now.method(), *request, bytes);
  EXPECT_TRUE(differing.ok()) << differing.status();
  return differing->empty() ? "replayed" : "mismatch";
}

TEST(UpgradeTableTest, C22_ARetryGetsWhatTheDocumentsSay) {
  for (const Row& row : kRows) {
    Version then(row.then_fields);
    Version now(row.now_fields);
    const std::string first = then.Encode(row.then_request);
    const auto recorded = MakeFingerprint(then.method(), *then.Decode(first), first);
    EXPECT_EQ(Retry(recorded, now, first), row.old_client) << row.change;
    EXPECT_EQ(Retry(recorded, now, now.Encode(row.now_request)), row.new_client) << row.change;
  }
}

}  // namespace
}  // namespace hapax
