#ifndef HAPAX_TESTS_SERVER_DOORS_EC2_SIGNED_REQUESTS_H_
#define HAPAX_TESTS_SERVER_DOORS_EC2_SIGNED_REQUESTS_H_

#include <string>
#include <vector>

#include "hapax/server/http/message.h"

namespace hapax::ec2 {

// Requests as clients sent them, signed with kSecret: the derived secret of kAccessKeyId under a master key of the
// bytes 0 to 31.
inline constexpr char kAccessKeyId[] = "HAPAXKEY00000001";
inline constexpr char kSecret[] = "jLntc3bbs3JZKzjjEixv7X4c3qNbEVfy7JNTJxzv";
inline constexpr char kMaster[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct RecordedRequest {
  std::string client;
  HttpRequest request;  // With what the listener takes from the target.
};

[[nodiscard]] inline std::vector<RecordedRequest> RecordedRequests() {
  return {
      {"aws",
       {.method = "POST",
        .target = "/",
        .path = "/",
        .query = "",
        .headers = {{"host", "127.0.0.1:18773"},
                    {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                    {"x-amz-date", "20261128T073318Z"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=HAPAXKEY00000001/20261128/eu-west-1/ec2/aws4_request, "
                     "SignedHeaders=content-type;host;x-amz-date, "
                     "Signature=508fe9054ee3b4ba5e4e35e44d1716decb20f46b0ed298f80cd2f6c77c594707"}},
        .body = "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&ClientToken=T&TagSpecification.1.ResourceType="
                "instance&TagSpecification.1.Tag.1.Key=a+b&TagSpecification.1.Tag.1.Value=x%26%3D%C3%A9&MaxCount=1&"
                "MinCount=1"}},
      {"aws with a token in its endpoint",
       {.method = "POST",
        .target = "/with-client-token/a%2Bb",
        .prefix = "/with-client-token/a%2Bb",
        .path = "/",
        .query = "",
        .headers = {{"host", "127.0.0.1:18773"},
                    {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                    {"x-amz-date", "20261128T073320Z"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=HAPAXKEY00000001/20261128/eu-west-1/ec2/aws4_request, "
                     "SignedHeaders=content-type;host;x-amz-date, "
                     "Signature=3770dd945427584d8c64acca67f97f7459298d8d0e75dede51fa63f7f6563481"}},
        .body = "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&ClientToken=T&MaxCount=1&MinCount=1"}},
      {"boto3 with a session token",
       {.method = "POST",
        .target = "/",
        .path = "/",
        .query = "",
        .headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                    {"host", "127.0.0.1:18773"},
                    {"x-amz-security-token", "S"},
                    {"x-amz-date", "20261128T073322Z"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=HAPAXKEY00000001/20261128/eu-west-1/ec2/aws4_request, "
                     "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                     "Signature=e189932f2dcfb50e6ce79a3ff1274d652a99d82d9d8ded9e965ab264c6c4fd87"},
                    {"amz-sdk-invocation-id", "72d30b10-05f3-442a-adea-7f35e2494ad6"}},
        .body = "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=T"}},
      {"boto3, presigned for GET",
       {.method = "GET",
        .target = "/?Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=T&X-Amz-"
                  "Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=HAPAXKEY00000001%2F20261128%2Feu-west-1%2Fec2%2Faws4_"
                  "request&X-Amz-Date=20261128T073323Z&X-Amz-SignedHeaders=host&X-Amz-Expires=600&X-Amz-Signature="
                  "3ed39440ad37019d26e28716e58bcb9d0393ab2899e134aa086450cbd67fb130",
        .path = "/",
        .query = "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=T&X-Amz-"
                 "Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=HAPAXKEY00000001%2F20261128%2Feu-west-1%2Fec2%2Faws4_"
                 "request&X-Amz-Date=20261128T073323Z&X-Amz-SignedHeaders=host&X-Amz-Expires=600&X-Amz-Signature="
                 "3ed39440ad37019d26e28716e58bcb9d0393ab2899e134aa086450cbd67fb130",
        .headers = {{"host", "127.0.0.1:18773"}},
        .body = ""}},
      {"boto3, presigned for POST",
       {.method = "POST",
        .target = "/?Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=T&X-Amz-"
                  "Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=HAPAXKEY00000001%2F20261128%2Feu-west-1%2Fec2%2Faws4_"
                  "request&X-Amz-Date=20261128T073325Z&X-Amz-SignedHeaders=host&X-Amz-Expires=600&X-Amz-Signature="
                  "2a6f111675575e1d641382863be37a3805d2313546e80714858a9a7a94a0fc6e",
        .path = "/",
        .query = "Action=RunInstances&Version=2016-11-15&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken=T&X-Amz-"
                 "Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=HAPAXKEY00000001%2F20261128%2Feu-west-1%2Fec2%2Faws4_"
                 "request&X-Amz-Date=20261128T073325Z&X-Amz-SignedHeaders=host&X-Amz-Expires=600&X-Amz-Signature="
                 "2a6f111675575e1d641382863be37a3805d2313546e80714858a9a7a94a0fc6e",
        .headers = {{"host", "127.0.0.1:18773"}},
        .body = ""}},
      {"curl",
       {.method = "POST",
        .target = "/",
        .path = "/",
        .query = "",
        .headers = {{"host", "127.0.0.1:18773"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=HAPAXKEY00000001/20261128/us-east-1/ec2/aws4_request, "
                     "SignedHeaders=host;x-amz-date, "
                     "Signature=2e1154b52e5524b87f249a6f29c4a643a83b246cacb268a1ba22897c81e6f017"},
                    {"x-amz-date", "20261128T073325Z"},
                    {"content-type", "application/x-www-form-urlencoded"}},
        .body = "Action=RunInstances&ImageId=ami-1&ClientToken=T"}},
      {"libcloud",
       {.method = "GET",
        .target = "/?Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1&InstanceType=m5.large&ClientToken=T&"
                  "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1."
                  "Value=n&SignatureVersion=2&SignatureMethod=HmacSHA256&AWSAccessKeyId=HAPAXKEY00000001&Version=2016-"
                  "11-15&Timestamp=2026-11-28T07%3A33%3A25Z&Signature=6T0Nni5NaiNtlXU557UHJQFoUe1N4cvtL4Ta1Yl0abg%3D",
        .path = "/",
        .query = "Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1&InstanceType=m5.large&ClientToken=T&"
                 "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1."
                 "Value=n&SignatureVersion=2&SignatureMethod=HmacSHA256&AWSAccessKeyId=HAPAXKEY00000001&Version=2016-"
                 "11-15&Timestamp=2026-11-28T07%3A33%3A25Z&Signature=6T0Nni5NaiNtlXU557UHJQFoUe1N4cvtL4Ta1Yl0abg%3D",
        .headers = {{"host", "127.0.0.1:18773"}},
        .body = ""}},
  };
}

}  // namespace hapax::ec2

#endif  // HAPAX_TESTS_SERVER_DOORS_EC2_SIGNED_REQUESTS_H_
