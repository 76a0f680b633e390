#include "hapax/server/doors/ec2/signature.h"

#include <optional>
#include <string>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/tests/server/doors/ec2/signed_requests.h"

namespace hapax::ec2 {
namespace {

// When they were recorded: within a minute from here.
const absl::Time kRecorded = absl::FromCivil(absl::CivilSecond(2026, 11, 28, 7, 33, 30), absl::UTCTimeZone());

// "" for a signature that holds, else EC2's code of the error.
std::string Check(const HttpRequest& request, const std::string& secret = kSecret, absl::Time now = kRecorded) {
  const FormPairs query = ParseForm(request.query).value();
  const FormPairs body = ParseForm(request.body).value();
  const SignedRequest signed_request{.request = request, .query = query, .body = body};
  const auto signature = SignatureOf(signed_request);
  if (!signature.ok()) return ToEc2Error(signature.status(), "").code;
  if (!signature->has_value()) return "unsigned";
  EXPECT_EQ((*signature)->access_key_id, kAccessKeyId);
  const absl::Status status = Verify(**signature, signed_request, secret, now);
  return status.ok() ? "" : ToEc2Error(status, "").code;
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  text = absl::StrReplaceAll(text, {{from, to}});
}

TEST(Signature, OfEachClientHolds) {
  for (const RecordedRequest& recorded : RecordedRequests()) EXPECT_EQ(Check(recorded.request), "") << recorded.client;
}

TEST(Signature, OfAnotherSecretDoesNotHold) {
  for (const RecordedRequest& recorded : RecordedRequests()) {
    EXPECT_EQ(Check(recorded.request, "another"), "SignatureDoesNotMatch") << recorded.client;
  }
}

TEST(Signature, CoversWhatTheRequestAsksFor) {
  for (RecordedRequest recorded : RecordedRequests()) {
    HttpRequest& request = recorded.request;
    const bool is_in_body = !request.body.empty();
    Replace(is_in_body ? request.body : request.query, "ami-1", "ami-2");
    EXPECT_EQ(Check(request), "SignatureDoesNotMatch") << recorded.client;
  }
  for (RecordedRequest recorded : RecordedRequests()) {
    for (auto& [name, value] : recorded.request.headers) {
      if (name == "host") value = "elsewhere";
    }
    EXPECT_EQ(Check(recorded.request), "SignatureDoesNotMatch") << recorded.client;
  }
  for (RecordedRequest recorded : RecordedRequests()) {
    recorded.request.method = recorded.request.method == "GET" ? "POST" : "GET";
    EXPECT_EQ(Check(recorded.request), "SignatureDoesNotMatch") << recorded.client;
  }
  for (RecordedRequest recorded : RecordedRequests()) {
    recorded.request.target.insert(0, "/other");
    EXPECT_EQ(Check(recorded.request), "SignatureDoesNotMatch") << recorded.client;
  }
}

TEST(Signature, ExpiresAQuarterOfAnHourAway) {
  for (const RecordedRequest& recorded : RecordedRequests()) {
    EXPECT_EQ(Check(recorded.request, kSecret, kRecorded + absl::Minutes(16)), "RequestExpired") << recorded.client;
    EXPECT_EQ(Check(recorded.request, kSecret, kRecorded - absl::Minutes(16)), "RequestExpired") << recorded.client;
    EXPECT_EQ(Check(recorded.request, kSecret, kRecorded - absl::Minutes(14)), "") << recorded.client;
    // Presigned for ten minutes.
    const bool is_presigned = recorded.request.query.find("X-Amz-Expires") != std::string::npos;
    EXPECT_EQ(Check(recorded.request, kSecret, kRecorded + absl::Minutes(14)), is_presigned ? "RequestExpired" : "")
        << recorded.client;
  }
}

HttpRequest WithAuthorization(const std::string& value) {
  return {.method = "POST",
          .target = "/",
          .path = "/",
          .headers = {{"host", "h"}, {"x-amz-date", "20261128T073318Z"}, {"authorization", value}}};
}

TEST(Signature, AMalformedOneIsIncomplete) {
  EXPECT_EQ(Check({.method = "GET", .target = "/", .path = "/"}), "unsigned");
  EXPECT_EQ(Check(WithAuthorization("Bearer x")), "unsigned");
  const std::string credential = std::string("Credential=") + kAccessKeyId;
  for (const std::string& wrong : std::vector<std::string>{
           "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 " + credential,
           "AWS4-HMAC-SHA256 " + credential + "/20261128/r/ec2/other, SignedHeaders=host;x-amz-date, Signature=0",
           "AWS4-HMAC-SHA256 " + credential +
               "/20261127/r/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
           "AWS4-HMAC-SHA256 " + credential + "/2/r/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
           "AWS4-HMAC-SHA256 " + credential + "/20261128/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
           // What must be covered is not.
           "AWS4-HMAC-SHA256 " + credential + "/20261128/r/ec2/aws4_request, SignedHeaders=host, Signature=0",
           "AWS4-HMAC-SHA256 " + credential + "/20261128/r/ec2/aws4_request, SignedHeaders=x-amz-date, Signature=0",
           "AWS4-HMAC-SHA256 " + credential + "/20261128/r/ec2/aws4_request, Signature=0"}) {
    EXPECT_EQ(Check(WithAuthorization(wrong)), "IncompleteSignature") << wrong;
  }
  EXPECT_EQ(Check({.method = "GET", .target = "/", .path = "/", .query = "Signature=x&SignatureVersion=1"}),
            "IncompleteSignature");
  EXPECT_EQ(Check({.method = "GET", .target = "/", .path = "/", .query = "X-Amz-Signature=x"}), "IncompleteSignature");
}

}  // namespace
}  // namespace hapax::ec2
