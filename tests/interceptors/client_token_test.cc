#include "hapax/interceptors/client_token.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tests::v1::PlaceOrderRequest;

constexpr char kField[] = "client_token";
constexpr char kClientToken[] = "x-client-token";
constexpr char kIdempotencyKey[] = "idempotency-key";

class ClientTokenTest : public testing::Test {
 protected:
  using Sources = std::vector<std::pair<std::string, std::string>>;

  // The token of a call that brings it in these sources, each the request's field or a metadata key.
  absl::StatusOr<std::string> TokenOf(const Sources& sources) {
    PlaceOrderRequest request;
    for (const auto& [source, value] : sources) {
      if (source == kField) request.set_client_token(value);
    }
    FakeCall call(method_, request);
    for (const auto& [source, value] : sources) {
      if (source != kField) call.AddMetadata(source, value);
    }
    call.Decode();
    return ClientTokenOf(call);
  }

  const Method method_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
};

TEST_F(ClientTokenTest, C3_NoSourceIsNoToken) { EXPECT_THAT(TokenOf({}), IsOkAndHolds("")); }

TEST_F(ClientTokenTest, C1_EachSourceAloneGivesIt) {
  for (const char* source : {kField, kClientToken, kIdempotencyKey}) {
    EXPECT_THAT(TokenOf({{source, "token"}}), IsOkAndHolds("token")) << source;
  }
}

TEST_F(ClientTokenTest, C1_SourcesThatAgreeGiveIt) {
  EXPECT_THAT(TokenOf({{kField, "token"},
                       {kClientToken, "token"},
                       {kClientToken, "token"},
                       {kIdempotencyKey, "token"},
                       {kIdempotencyKey, "\"token\""}}),
              IsOkAndHolds("token"));
}

TEST_F(ClientTokenTest, C1_TwoSourcesThatDisagreeAreAConflict) {
  const std::vector<Sources> kConflicts = {
      {{kField, "one"}, {kClientToken, "two"}},
      {{kField, "one"}, {kIdempotencyKey, "two"}},
      {{kClientToken, "one"}, {kIdempotencyKey, "two"}},
      {{kClientToken, "one"}, {kClientToken, "two"}},
      {{kField, "same"}, {kClientToken, "same"}, {kIdempotencyKey, "other"}},
      {{kField, "token"}, {kClientToken, "Token"}},
  };
  for (const Sources& sources : kConflicts) {
    EXPECT_THAT(TokenOf(sources), HasReason(Reason::kClientTokenConflict)) << testing::PrintToString(sources);
  }
}

TEST_F(ClientTokenTest, C1_AConflictNamesTheSourcesAndNotTheirValues) {
  const absl::Status status = TokenOf({{kField, "first-value"}, {kIdempotencyKey, "second-value"}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("client_token and idempotency-key"));
  EXPECT_THAT(FieldsOf(status), ElementsAre(kIdempotencyKey));
  EXPECT_THAT(EverythingIn(status), Not(HasSubstr("-value")));
}

TEST_F(ClientTokenTest, C1_AQuotedIdempotencyKeyIsUnquoted) {
  EXPECT_THAT(TokenOf({{kIdempotencyKey, R"("8e03978e-40d5-43e8-bc93-6894a57f9324")"}}),
              IsOkAndHolds("8e03978e-40d5-43e8-bc93-6894a57f9324"));
  EXPECT_THAT(TokenOf({{kIdempotencyKey, R"("a\"b\\c")"}}), IsOkAndHolds(R"(a"b\c)"));
  EXPECT_THAT(TokenOf({{kIdempotencyKey, R"("\"")"}}), IsOkAndHolds("\""));
}

TEST_F(ClientTokenTest, C1_AQuoteElsewhereInAnIdempotencyKeyIsACharacterOfIt) {
  EXPECT_THAT(TokenOf({{kIdempotencyKey, R"(a"b\c")"}}), IsOkAndHolds(R"(a"b\c")"));
}

TEST_F(ClientTokenTest, C1_QuotesOfOtherSourcesAreCharactersOfTheToken) {
  for (const char* source : {kField, kClientToken}) {
    EXPECT_THAT(TokenOf({{source, R"("token")"}}), IsOkAndHolds(R"("token")")) << source;
  }
}

// RFC 8941, 4.2.5: within a string a backslash stands before a quote or a backslash only.
TEST_F(ClientTokenTest, C2_AQuotedKeyThatIsNoStructuredFieldStringIsRefused) {
  for (const char* value : {R"(")", R"("token)", R"("token\")", R"("token\)", R"("to"ken")", R"("token"; a=b)",
                            R"("token" )", R"("")", R"("to\ken")"}) {
    EXPECT_THAT(TokenOf({{kIdempotencyKey, value}}), HasReason(Reason::kInvalidClientToken)) << value;
  }
}

TEST_F(ClientTokenTest, C2_EachPrintableCharacterIsAllowedAndNoOther) {
  for (int c = 0; c < 256; ++c) {
    const std::string token = {'a', static_cast<char>(c), 'z'};
    const auto found = TokenOf({{kClientToken, token}});
    if (c >= 0x21 && c <= 0x7E) {
      EXPECT_THAT(found, IsOkAndHolds(token)) << c;
    } else {
      EXPECT_THAT(found, HasReason(Reason::kInvalidClientToken)) << c;
    }
  }
}

TEST_F(ClientTokenTest, C2_From1To64CharactersAreAllowed) {
  for (const char* source : {kField, kClientToken, kIdempotencyKey}) {
    SCOPED_TRACE(source);
    EXPECT_THAT(TokenOf({{source, "t"}}), IsOkAndHolds("t"));
    EXPECT_THAT(TokenOf({{source, std::string(64, 't')}}), IsOkAndHolds(std::string(64, 't')));
    EXPECT_THAT(TokenOf({{source, std::string(65, 't')}}), HasReason(Reason::kInvalidClientToken));
  }
  EXPECT_THAT(TokenOf({{kIdempotencyKey, "\"" + std::string(64, 't') + "\""}}), IsOkAndHolds(std::string(64, 't')));
}

// A client that means to be protected and sends an empty value by mistake is told so. An unset field
// of proto3 cannot be told from an empty one.
TEST_F(ClientTokenTest, C2_EmptyMetadataIsRefused) {
  EXPECT_THAT(TokenOf({{kClientToken, ""}}), HasReason(Reason::kInvalidClientToken));
  EXPECT_THAT(TokenOf({{kIdempotencyKey, ""}}), HasReason(Reason::kInvalidClientToken));
  EXPECT_THAT(TokenOf({{kField, "token"}, {kClientToken, ""}}), HasReason(Reason::kInvalidClientToken));
}

TEST_F(ClientTokenTest, C2_AnInvalidTokenIsRefusedThoughAnotherSourceIsValid) {
  EXPECT_THAT(TokenOf({{kField, "token"}, {kClientToken, "to ken"}}), HasReason(Reason::kInvalidClientToken));
}

TEST_F(ClientTokenTest, C2_ARefusalNamesTheSourceAndNotTheToken) {
  for (const char* source : {kField, kClientToken, kIdempotencyKey}) {
    const absl::Status status = TokenOf({{source, "secret value"}}).status();
    EXPECT_THAT(FieldsOf(status), ElementsAre(source));
    EXPECT_THAT(EverythingIn(status), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace hapax
