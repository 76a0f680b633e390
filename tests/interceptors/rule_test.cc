#include "hapax/interceptors/rule.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/rules.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;
using tests::v1::RuleRequest;

// A resolver that tells the test what it was asked, and takes the last zone that is set.
ScopeResolvers RecordingResolvers(std::vector<std::string>* asked) {
  ScopeResolvers resolvers;
  resolvers["place"] = [asked](const PlaceHints& hints) -> absl::StatusOr<Place> {
    const auto record = [&](const PlaceHint& hint) {
      asked->push_back(absl::StrCat(std::string(hint.field), "=", std::string(hint.value)));
    };
    record(hints.region);
    Place place{.region = std::string(hints.region.value)};
    for (const PlaceHint& hint : hints.zones) {
      record(hint);
      if (!hint.value.empty()) place.zone = hint.value;
    }
    if (place.zone == "nowhere") return Refuse(Reason::kUnknownAvailabilityZone, "there is no such zone");
    if (place.zone == "bakery") place.region = "of the bakery";
    return place;
  };
  return resolvers;
}

absl::StatusOr<std::optional<Rule>> Compile(const char* service, const char* method) {
  static std::vector<std::string> asked;
  static const ScopeResolvers resolvers = RecordingResolvers(&asked);
  return Rule::Compile(MethodOf<RuleRequest>(service, method), resolvers);
}

RuleRequest Request(const std::string& region, const std::string& zone, const std::string& nested_zone) {
  RuleRequest request;
  request.set_region(region);
  request.set_zone(zone);
  if (!nested_zone.empty()) request.mutable_nested()->set_zone(nested_zone);
  return request;
}

auto IsPlace(const std::string& region, const std::string& zone) { return IsOkAndHolds(FieldsAre(region, zone)); }

TEST(Rule, AMethodWithoutSideEffectsOrIdempotentByNatureHasNone) {
  for (const char* method : {"Read", "IdempotentByNature"}) {
    const auto rule = Compile("GoodRules", method);
    ASSERT_THAT(rule, IsOk());
    EXPECT_FALSE(rule->has_value());
  }
}

TEST(Rule, AMethodWithARuleHasItWhateverElseItSays) {
  for (const char* method : {"Regional", "Idempotent"}) {
    const auto rule = Compile("GoodRules", method);
    ASSERT_THAT(rule, IsOk());
    ASSERT_TRUE(rule->has_value());
    EXPECT_EQ((*rule)->token_field().name(), "token");
    EXPECT_EQ((*rule)->token_field().TopLevelNumber(), 1);
    EXPECT_EQ((*rule)->region_field().name(), "region");
    EXPECT_EQ((*rule)->region_field().TopLevelNumber(), 2);
  }
}

TEST(Rule, SaysNothingOfTheReplyByDefault) {
  for (const char* method : {"Regional", "Verbatim"}) {
    const auto rule = Compile("GoodRules", method);
    ASSERT_THAT(rule, IsOk());
    EXPECT_FALSE((*rule)->replays_current_operation());
    EXPECT_FALSE((*rule)->secret_reply());
    EXPECT_EQ((*rule)->retention(), std::nullopt);
  }
}

TEST(Rule, C24_AnOperationMayBeReplayedAsItStands) {
  const auto rule = Compile("GoodRules", "CurrentOperation");
  ASSERT_THAT(rule, IsOk());
  EXPECT_TRUE((*rule)->replays_current_operation());
}

TEST(Rule, C25_AReplyMayBeSecret) {
  const auto rule = Compile("GoodRules", "Secret");
  ASSERT_THAT(rule, IsOk());
  EXPECT_TRUE((*rule)->secret_reply());
}

TEST(Rule, C17_AMethodMayHaveARetentionOfItsOwn) {
  const auto rule = Compile("GoodRules", "Retained");
  ASSERT_THAT(rule, IsOk());
  EXPECT_EQ((*rule)->retention(), absl::Seconds(90) + absl::Microseconds(5));
}

TEST(Rule, EightZoneFieldsAreAllowed) { EXPECT_THAT(Compile("GoodRules", "EightZoneFields"), IsOk()); }

TEST(Rule, AnOptionalTokenFieldIsAllowedAndARegionFieldInAOneof) {
  for (const char* method : {"OptionalTokenField", "RegionFieldInAOneof"}) {
    EXPECT_THAT(Compile("GoodRules", method), IsOk()) << method;
  }
}

TEST(Rule, AllFieldNumbersOfAPathAreTold) {
  const auto rule = Compile("GoodRules", "Zonal");
  ASSERT_THAT(rule, IsOk());
  EXPECT_THAT((*rule)->zone_fields().front().Numbers(), ElementsAre(4, 2, 1));
}

TEST(Rule, ABadDeclarationIsRefusedWithMethodAndMistake) {
  const std::vector<std::pair<const char*, const char*>> kBad = {
      {"Neither", "declares neither"},
      {"Both", "has both an idempotency rule and NO_SIDE_EFFECTS"},
      {"NoTokenField", "token_field: \"\" is not a singular field of hapax.tests.v1.RuleRequest"},
      {"UnknownTokenField", "token_field: \"client_token\" is not a singular field"},
      {"NestedTokenField", "token_field: must be a top-level field"},
      {"RepeatedTokenField", "token_field: \"several_strings\" is not a singular field"},
      {"BytesTokenField", "token_field: \"octets\" is not a string field"},
      {"NumberTokenField", "token_field: \"number\" is not a string field"},
      {"TokenFieldBelowAString", "token_field: must be a top-level field"},
      {"MapTokenField", "token_field: \"texts\" is not a singular field"},
      {"TokenFieldInAOneof", "token_field: \"chosen\" is in a oneof"},
      {"TokenFieldAsRegionField", "scope.region_field: \"token\" is the token field"},
      {"TokenFieldAsZoneField", "scope.zone_fields: \"token\" is the token field"},
      {"RegionFieldAsZoneField", "scope.zone_fields: \"region\" is the region field"},
      {"ClientStreaming", "streams; only unary methods are allowed"},
      {"ServerStreaming", "streams; only unary methods are allowed"},
      {"StreamingRead", "streams; only unary methods are allowed"},
      {"NoScope", "scope.region_field: is required"},
      {"NestedRegionField", "scope.region_field: must be a top-level field"},
      {"MessageRegionField", "scope.region_field: \"nested\" is not a string field"},
      {"UnknownZoneField", "scope.zone_fields: \"nested.shelf\" is not a singular field"},
      {"ZoneFieldOfAList", "scope.zone_fields: \"several_nested.zone\" is not a singular field"},
      {"ZoneFieldOfAMap", "scope.zone_fields: \"texts.value\" is not a singular field"},
      {"ZoneFieldWithAnEmptyStep", "scope.zone_fields: \"nested..zone\" is not a singular field"},
      {"TwoZoneFieldsWithoutResolver", "scope.zone_fields: more than one needs a resolver"},
      {"NineZoneFields", "scope.zone_fields: at most 8"},
      {"ZoneRequiredWithoutZoneFields", "scope.zone_required: needs at least one of zone_fields"},
      {"CurrentOperationOfAnotherReply",
       "replay: REPLAY_CURRENT_OPERATION needs a reply of type google.longrunning.Operation"},
      {"NoRetention", "retention: must be positive"},
      {"NegativeRetention", "retention: must be positive"},
      {"UnknownResolver", "scope.resolver: the service registered none with the name \"nobody\""},
  };
  for (const auto& [method, mistake] : kBad) {
    const std::string name = absl::StrCat("hapax.tests.v1.BadRules/", method);
    EXPECT_THAT(Compile("BadRules", method),
                StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr(name), HasSubstr(mistake))));
  }
  EXPECT_EQ(MethodOf<RuleRequest>("BadRules", "Neither").service()->method_count(), kBad.size());
}

// A default that proto2 allows: every call without a token would have the same one.
TEST(Rule, ATokenFieldWithADefaultValueIsRefused) {
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(name: "defaults.proto" package: "defaults" syntax: "proto2" dependency: "hapax/idempotency/v1/rule.proto"
         message_type {
           name: "Request"
           field { name: "token" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING default_value: "t" }
           field { name: "region" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
         }
         service { name: "S" method { name: "M" input_type: "Request" output_type: "Request" options {
           [hapax.idempotency.v1.rule] { token_field: "token" scope { region_field: "region" } } } } })",
      &file));
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  const auto* const built = pool.BuildFile(file);
  ASSERT_NE(built, nullptr);
  EXPECT_THAT(Rule::Compile(*built->service(0)->method(0), {}),
              StatusIs(StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("defaults.S/M"), HasSubstr("token_field"), HasSubstr("has a default value"))));
}

TEST(Rule, C5_WithoutZoneFieldsThePlaceIsTheRegion) {
  const auto rule = Compile("GoodRules", "Regional");
  EXPECT_THAT((*rule)->ResolvePlace(Request("east", "zone", "zone"), "home"), IsPlace("east", ""));
  EXPECT_THAT((*rule)->ResolvePlace(Request("", "", ""), "home"), IsPlace("home", ""));
}

TEST(Rule, C5_AZoneFieldThatIsSetMakesThePlaceZonal) {
  const auto rule = Compile("GoodRules", "Zonal");
  RuleRequest request = Request("east", "not this one", "nor this one");
  EXPECT_THAT((*rule)->ResolvePlace(request, "home"), IsPlace("east", ""));
  request.mutable_nested()->mutable_nested()->set_zone("this one");
  EXPECT_THAT((*rule)->ResolvePlace(request, "home"), IsPlace("east", "this one"));
  request.clear_region();
  EXPECT_THAT((*rule)->ResolvePlace(request, "home"), IsPlace("home", "this one"));
}

TEST(Rule, ARequiredZoneThatIsMissingIsAnInvalidParameter) {
  const auto rule = Compile("GoodRules", "ZoneRequired");
  const auto place = (*rule)->ResolvePlace(Request("east", "", ""), "home");
  EXPECT_THAT(place, HasReason(Reason::kInvalidParameter));
  EXPECT_THAT(place, StatusIs(StatusCode::kInvalidArgument, "zone: is required"));
  EXPECT_THAT((*rule)->ResolvePlace(Request("east", "zone", ""), "home"), IsPlace("east", "zone"));
}

TEST(Rule, ARequiredZoneNamesAllFieldsThatCouldGiveIt) {
  const auto rule = Compile("GoodRules", "Resolved");
  EXPECT_THAT((*rule)->ResolvePlace(Request("east", "", ""), "home"),
              StatusIs(StatusCode::kInvalidArgument, "zone or nested.zone: is required"));
}

TEST(Rule, TheResolverIsAskedWithEveryHintAndDecides) {
  std::vector<std::string> asked;
  const ScopeResolvers resolvers = RecordingResolvers(&asked);
  const auto rule = Rule::Compile(MethodOf<RuleRequest>("GoodRules", "Resolved"), resolvers);
  ASSERT_THAT(rule, IsOk());
  EXPECT_THAT((*rule)->ResolvePlace(Request("east", "", "cellar"), "home"), IsPlace("east", "cellar"));
  EXPECT_THAT(asked, ElementsAre("region=east", "zone=", "nested.zone=cellar"));
  EXPECT_THAT((*rule)->ResolvePlace(Request("", "bakery", ""), "home"), IsPlace("of the bakery", "bakery"));
  EXPECT_THAT((*rule)->ResolvePlace(Request("", "attic", ""), "home"), IsPlace("home", "attic"));
}

TEST(Rule, TheResolversRefusalIsTheRules) {
  const auto rule = Compile("GoodRules", "Resolved");
  EXPECT_THAT((*rule)->ResolvePlace(Request("", "nowhere", ""), "home"), HasReason(Reason::kUnknownAvailabilityZone));
}

TEST(StringFieldPath, ReadsANestedField) {
  const auto path = StringFieldPath::Compile(*RuleRequest::descriptor(), "nested.nested.zone");
  ASSERT_THAT(path, IsOk());
  EXPECT_EQ(path->name(), "nested.nested.zone");
  EXPECT_FALSE(path->IsTopLevel());
  EXPECT_EQ(path->TopLevelNumber(), 4);
  RuleRequest request;
  request.mutable_nested()->mutable_nested()->set_zone("zone");
  EXPECT_EQ(path->Read(request), "zone");
}

TEST(StringFieldPath, IsEmptyWhereAMessageOnTheWayIsNotSet) {
  const auto path = StringFieldPath::Compile(*RuleRequest::descriptor(), "nested.nested.zone");
  RuleRequest request;
  EXPECT_EQ(path->Read(request), "");
  request.mutable_nested()->set_zone("another field of the same name");
  EXPECT_EQ(path->Read(request), "");
}

TEST(StringFieldPath, ReadsAMemberOfAOneof) {
  const auto path = StringFieldPath::Compile(*RuleRequest::descriptor(), "chosen");
  ASSERT_THAT(path, IsOk());
  EXPECT_TRUE(path->IsTopLevel());
  RuleRequest request;
  EXPECT_EQ(path->Read(request), "");
  request.set_chosen("text");
  EXPECT_EQ(path->Read(request), "text");
}

}  // namespace
}  // namespace hapax
