#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/ec2/actions.h"
#include "hapax/server/doors/ec2/common.h"
#include "hapax/server/doors/ec2/ec2_error.h"
#include "hapax/server/doors/ec2/exchange.h"

namespace hapax::ec2 {
namespace {

using compute::v1::CreateKeypairRequest;
using compute::v1::CreateKeypairResponse;
using compute::v1::DeleteKeypairRequest;
using compute::v1::DeleteKeypairResponse;
using compute::v1::DescribeKeypairsRequest;
using compute::v1::DescribeKeypairsResponse;
using compute::v1::KeyPair;

constexpr char kDescribe[] = "hapax.compute.v1.Compute/DescribeKeypairs";
// A filter has that many values.
constexpr size_t kMaxKeyPairIds = 200;
// EC2 has no pages for key pairs, so one reply holds all.
constexpr int kMaxPages = 20;

// A value of a filter that matches this text alone.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

void AddIdFilter(const std::vector<std::string>& ids, DescribeKeypairsRequest* request) {
  compute::v1::Filter& filter = *request->add_filters();
  filter.set_name("key-pair-id");
  for (const std::string& id : ids) filter.add_values(Escaped(id));
}

absl::Status RefuseUnknown(const std::string& id) {
  return RefuseWith("InvalidKeyPair.NotFound", absl::StrCat("The key pair '", id, "' does not exist"));
}

void RenderDeletion(XmlWriter& xml, const std::string& key_pair_id) {
  xml.Element("return", "true");
  xml.ElementUnlessEmpty("keyPairId", key_pair_id);
}

void Delete(DeleteKeypairRequest request, std::shared_ptr<Exchange> exchange) {
  // In EC2 a pair that is not there is as good as deleted.
  request.set_allow_missing(true);
  PlanCall<DeleteKeypairResponse>("hapax.compute.v1.Compute/DeleteKeypair", std::move(request),
                                  [](XmlWriter& xml, const DeleteKeypairResponse& response) {
                                    RenderDeletion(xml, response.key_pair_id());
                                  })(std::move(exchange));
}

void DeleteById(const std::string& id, std::string region, std::shared_ptr<Exchange> exchange) {
  DescribeKeypairsRequest look_up;
  look_up.set_region(region);
  AddIdFilter({id}, &look_up);
  Exchange& target = *exchange;
  target.Call<DescribeKeypairsResponse>(
      kDescribe, std::move(look_up),
      [exchange = std::move(exchange), region = std::move(region)](absl::StatusOr<DescribeKeypairsResponse> response) {
        if (!response.ok()) return exchange->Fail(response.status());
        if (response->key_pairs().empty()) return exchange->Reply([](XmlWriter& xml) { RenderDeletion(xml, ""); });
        DeleteKeypairRequest request;
        request.set_region(region);
        request.set_key_name(response->key_pairs(0).key_name());
        Delete(std::move(request), exchange);
      });
}

// Collects all pages into one reply.
class KeyPairList : public std::enable_shared_from_this<KeyPairList> {
 public:
  KeyPairList(DescribeKeypairsRequest request, std::vector<std::string> ids, bool shows_public_keys)
      : request_(std::move(request)), ids_(std::move(ids)), shows_public_keys_(shows_public_keys) {}

  void Start(std::shared_ptr<Exchange> exchange) {
    exchange_ = std::move(exchange);
    RunSteps([self = shared_from_this()](size_t index, absl::AnyInvocable<void()> next) {
      if (index == kMaxPages) {
        return self->exchange_->Fail(RefuseWith(
            "UnsupportedOperation",
            absl::StrCat("There are more than ", kMaxPages * kPageSize, " key pairs: name some by KeyName or Filter")));
      }
      self->exchange_->Call<DescribeKeypairsResponse>(
          kDescribe, self->request_,
          [self, next = std::move(next)](absl::StatusOr<DescribeKeypairsResponse> r) mutable {
            if (!r.ok()) return self->exchange_->Fail(r.status());
            for (KeyPair& pair : *r->mutable_key_pairs()) self->pairs_.push_back(std::move(pair));
            self->request_.set_page_token(r->next_page_token());
            if (r->next_page_token().empty()) return self->Reply();
            next();
          });
    });
  }

 private:
  void Reply() {
    std::set<std::string> found;
    for (const KeyPair& pair : pairs_) found.insert(pair.key_pair_id());
    for (const std::string& id : ids_) {
      if (!found.contains(id)) return exchange_->Fail(RefuseUnknown(id));
    }
    exchange_->Reply([this](XmlWriter& xml) {
      xml.Open("keySet");
      for (const KeyPair& pair : pairs_) Render(xml, pair);
      xml.Close();
    });
  }

  void Render(XmlWriter& xml, const KeyPair& pair) const {
    xml.Open("item");
    xml.Element("keyPairId", pair.key_pair_id());
    xml.Element("keyName", pair.key_name());
    xml.Element("keyFingerprint", pair.key_fingerprint());
    xml.Element("keyType", pair.key_type() == compute::v1::KEY_TYPE_RSA ? "rsa" : "ed25519");
    xml.Element("createTime", pair.create_time());
    if (shows_public_keys_) xml.Element("publicKey", pair.public_key());
    RenderTags(xml, pair.tags());
    xml.Close();
  }

  DescribeKeypairsRequest request_;
  const std::vector<std::string> ids_;
  const bool shows_public_keys_;
  std::shared_ptr<Exchange> exchange_;
  std::vector<KeyPair> pairs_;
};

}  // namespace

absl::StatusOr<Plan> PlanCreateKeyPair(Parameters& parameters, const Setting& setting) {
  CreateKeypairRequest request;
  request.set_region(setting.region);
  HAPAX_ASSIGN_OR_RETURN(std::string name, parameters.TakeRequired("KeyName"));
  request.set_key_name(std::move(name));
  const std::string type = parameters.Take("KeyType").value_or("rsa");
  if (type != "rsa" && type != "ed25519") {
    return RefuseWith("InvalidParameterValue", "KeyType: must be rsa or ed25519");
  }
  request.set_key_type(type == "rsa" ? compute::v1::KEY_TYPE_RSA : compute::v1::KEY_TYPE_ED25519);
  HAPAX_RETURN_IF_ERROR(parameters.TakeFixed("KeyFormat", "pem"));
  HAPAX_RETURN_IF_ERROR(TakeTags(parameters, "key-pair", request.mutable_tags()));
  const Tags tags = request.tags();
  return PlanCall<CreateKeypairResponse>("hapax.compute.v1.Compute/CreateKeypair", std::move(request),
                                         [tags](XmlWriter& xml, const CreateKeypairResponse& response) {
                                           xml.Element("keyName", response.key_name());
                                           xml.Element("keyFingerprint", response.key_fingerprint());
                                           xml.Element("keyMaterial", response.key_material());
                                           xml.Element("keyPairId", response.key_pair_id());
                                           RenderTags(xml, tags);
                                         });
}

absl::StatusOr<Plan> PlanDeleteKeyPair(Parameters& parameters, const Setting& setting) {
  const std::string name = parameters.Take("KeyName").value_or("");
  const std::string id = parameters.Take("KeyPairId").value_or("");
  if (name.empty() == id.empty()) {
    return RefuseWith(name.empty() ? "MissingParameter" : "InvalidParameterCombination",
                      "The request must contain one of the parameters KeyName and KeyPairId");
  }
  if (!id.empty()) {
    return [id, region = setting.region](std::shared_ptr<Exchange> exchange) {
      DeleteById(id, region, std::move(exchange));
    };
  }
  DeleteKeypairRequest request;
  request.set_region(setting.region);
  request.set_key_name(name);
  return [request = std::move(request)](std::shared_ptr<Exchange> exchange) mutable {
    Delete(std::move(request), std::move(exchange));
  };
}

absl::StatusOr<Plan> PlanDescribeKeyPairs(Parameters& parameters, const Setting& setting) {
  DescribeKeypairsRequest request;
  request.set_region(setting.region);
  request.set_page_size(kPageSize);
  HAPAX_RETURN_IF_ERROR(TakeIds(parameters, "KeyName", Ids::kOptional, request.mutable_key_names()));
  HAPAX_RETURN_IF_ERROR(TakeFilters(parameters, request.mutable_filters()));
  HAPAX_ASSIGN_OR_RETURN(const auto ids, parameters.TakeList("KeyPairId", kMaxKeyPairIds));
  if (!ids.empty()) AddIdFilter(ids, &request);
  HAPAX_ASSIGN_OR_RETURN(const bool shows_public_keys, parameters.TakeFlag("IncludePublicKey", false));
  auto list = std::make_shared<KeyPairList>(std::move(request), ids, shows_public_keys);
  return [list = std::move(list)](std::shared_ptr<Exchange> exchange) { list->Start(std::move(exchange)); };
}

}  // namespace hapax::ec2
