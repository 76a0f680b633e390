#include "hapax/bench/messages.h"

#include "absl/strings/str_cat.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::bench {
namespace {

constexpr char kImage[] = "ami-b232d0db";
constexpr size_t kMemoBytes = 200;

absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

RequestTemplate JsonPost(std::string_view host_and_port, std::string_view path, bool with_token,
                         const std::string& body) {
  const std::string key =
      with_token ? absl::StrCat("Idempotency-Key: ", Abseil(RequestTemplate::kPlaceholder), "\r\n") : "";
  return RequestTemplate(absl::StrCat("POST ", Abseil(path), " HTTP/1.1\r\nHost: ", Abseil(host_and_port),
                                      "\r\nContent-Type: application/json\r\n", key, "Content-Length: ", body.size(),
                                      "\r\n\r\n", body));
}

}  // namespace

RequestTemplate LaunchMessage(int instances, bool with_token, int tags, std::string_view zone) {
  compute::v1::RunInstancesRequest request;
  if (with_token) request.set_client_token(std::string(RequestTemplate::kPlaceholder));
  request.set_image_id(kImage);
  request.mutable_placement()->set_availability_zone(std::string(zone));
  if (instances > 1) request.set_min_count(instances);
  for (int i = 0; i < tags; ++i) (*request.mutable_tags())[absl::StrCat("k", i)];
  return RequestTemplate(request.SerializeAsString());
}

::bench::v1::Posting MakePosting() {
  static const std::string& memo = *new std::string([] {
    std::string text;
    while (text.size() < kMemoBytes) absl::StrAppend(&text, "invoice ", text.size(), " of November; ");
    text.resize(kMemoBytes);
    return text;
  }());
  ::bench::v1::Posting posting;
  posting.set_account("assets:cash");
  posting.set_amount(4711);
  posting.set_memo(memo);
  return posting;
}

RequestTemplate PostMessage(bool with_token) {
  ::bench::v1::PostRequest request;
  if (with_token) request.set_client_token(std::string(RequestTemplate::kPlaceholder));
  *request.mutable_posting() = MakePosting();
  return RequestTemplate(request.SerializeAsString());
}

RequestTemplate ReadMessage(std::string_view instance_id) {
  compute::v1::DescribeInstancesRequest request;
  request.add_instance_ids(std::string(instance_id));
  return RequestTemplate(request.SerializeAsString());
}

std::string FirstInstanceId(const std::string& response) {
  compute::v1::RunInstancesResponse parsed;
  if (!parsed.ParseFromString(response) || parsed.instances().empty()) return "";
  return parsed.instances(0).instance_id();
}

RequestTemplate LaunchPost(std::string_view host_and_port, std::string_view path, bool with_token) {
  const std::string body = absl::StrCat(R"({"image_id":")", kImage, R"(","placement":{"availability_zone":")",
                                        Abseil(kDefaultZone), R"("}})");
  return JsonPost(host_and_port, path, with_token, body);
}

RequestTemplate LedgerPost(std::string_view host_and_port, std::string_view path, bool with_token) {
  const ::bench::v1::Posting posting = MakePosting();
  const std::string body = absl::StrCat(R"({"posting":{"account":")", posting.account(), R"(","amount":)",
                                        posting.amount(), R"(,"memo":")", posting.memo(), R"("}})");
  return JsonPost(host_and_port, path, with_token, body);
}

RequestTemplate LaunchForm(std::string_view host_and_port, bool with_token) {
  const std::string body =
      absl::StrCat("Action=RunInstances&Version=2016-11-15&ImageId=", kImage, "&MinCount=1&MaxCount=1",
                   "&Placement.AvailabilityZone=", Abseil(kDefaultZone),
                   with_token ? absl::StrCat("&ClientToken=", Abseil(RequestTemplate::kPlaceholder)) : "");
  return RequestTemplate(absl::StrCat("POST / HTTP/1.1\r\nHost: ", Abseil(host_and_port),
                                      "\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n",
                                      "Content-Length: ", body.size(), "\r\n\r\n", body));
}

}  // namespace hapax::bench
