#include "hapax/server/doors/openstack/key_pairs.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/doors/openstack/json_fields.h"
#include "hapax/server/doors/openstack/public_key.h"
#include "hapax/server/doors/openstack/query.h"

namespace hapax::openstack {
namespace {

using compute::v1::CreateKeypairRequest;
using compute::v1::CreateKeypairResponse;
using compute::v1::DeleteKeypairRequest;
using compute::v1::DeleteKeypairResponse;
using compute::v1::DescribeKeypairsRequest;
using compute::v1::DescribeKeypairsResponse;
using compute::v1::KeyPair;

constexpr int kPageSize = 1000;
// A list is read page by page from the first pair on, whatever the marker.
constexpr int kMaxPages = 100;

// Nova's rule. A slash, for one, would have no place in the path of a pair.
bool IsInNames(char c) {
  constexpr std::string_view kOthers = " @._-";
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kOthers.find(c) != std::string_view::npos;
}

absl::StatusOr<CreateKeypairRequest> ReadCreateRequest(std::string_view text) {
  HAPAX_ASSIGN_OR_RETURN(JsonFields body, JsonFields::Parse(text));
  JsonFields keypair = body.RequiredObject("keypair");
  CreateKeypairRequest request;
  request.set_key_name(keypair.RequiredText("name"));
  const std::string& name = request.key_name();
  if (!std::all_of(name.begin(), name.end(), IsInNames))
    keypair.Refuse("name", "must have only A-Z a-z 0-9 blank @ . _ -");
  request.set_key_type(compute::v1::KEY_TYPE_RSA);
  if (keypair.Has("type") && keypair.Text("type") != "ssh") keypair.Refuse("type", "must be ssh");
  if (keypair.Has("public_key")) keypair.Refuse("public_key", "must be left out: public keys cannot be imported");
  HAPAX_RETURN_IF_ERROR(keypair.Finish());
  HAPAX_RETURN_IF_ERROR(body.Finish());
  return request;
}

// Nova's ids are numbers. That of a pair here is of the last digits of its own id, as many as JSON keeps exactly.
int64_t NumberOf(const std::string& key_pair_id) {
  constexpr size_t kDigits = 13;
  int64_t number = 0;
  const std::string digits = key_pair_id.size() > kDigits ? key_pair_id.substr(key_pair_id.size() - kDigits) : "";
  static_cast<void>(absl::SimpleHexAtoi(digits, &number));
  return number;
}

JsonObject Summary(const KeyPair& pair) {
  return JsonObject()
      .Text("name", pair.key_name())
      .Text("public_key", pair.public_key())
      .Text("fingerprint", pair.key_fingerprint());
}

JsonObject Details(const Exchange& exchange, const KeyPair& pair) {
  const absl::Time created = FromTimestamp(pair.create_time());
  return Summary(pair)
      .Text("user_id", exchange.CallerName())
      .Number("id", NumberOf(pair.key_pair_id()))
      .Text("created_at", absl::FormatTime("%Y-%m-%dT%H:%M:%E6S", created, absl::UTCTimeZone()))
      .Null("updated_at")
      .Null("deleted_at")
      .Bool("deleted", false);
}

struct KeyPairList {
  DescribeKeypairsRequest request;
  PageLimits limits;
  int pages = 0;
  std::vector<JsonObject> pairs;
};

absl::StatusOr<KeyPairList> ReadList(const Exchange& exchange) {
  KeyPairList list;
  HAPAX_ASSIGN_OR_RETURN(Query query, Query::Parse(exchange.request.query));
  HAPAX_ASSIGN_OR_RETURN(list.limits, TakePageLimits(query));
  HAPAX_RETURN_IF_ERROR(query.Finish());
  list.request.set_region(exchange.RegionOrDefault());
  list.request.set_page_size(kPageSize);
  return list;
}

void ReadPages(ExchangePtr exchange, KeyPairList list) {
  const DescribeKeypairsRequest request = list.request;
  Exchange::Read<DescribeKeypairsResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeKeypairs", request,
      [list = std::move(list)](ExchangePtr self, const DescribeKeypairsResponse& page) mutable {
        for (const KeyPair& pair : page.key_pairs()) {
          if (list.pairs.size() == list.limits.limit) break;
          if (pair.key_name() > list.limits.marker) list.pairs.push_back(JsonObject().Object("keypair", Summary(pair)));
        }
        if (list.pairs.size() == list.limits.limit || page.next_page_token().empty()) {
          return Exchange::Send(std::move(self), JsonReply(200, JsonObject().Objects("keypairs", list.pairs)));
        }
        if (++list.pages == kMaxPages) {
          return Exchange::Send(std::move(self), RefuseParameter("marker", "is too far in the list"));
        }
        list.request.set_page_token(page.next_page_token());
        ReadPages(std::move(self), std::move(list));
      });
}

}  // namespace

void CreateKeyPair(ExchangePtr exchange) {
  absl::StatusOr<CreateKeypairRequest> request = ReadCreateRequest(exchange->request.body);
  if (!request.ok()) return Exchange::Send(std::move(exchange), request.status());
  request->set_region(exchange->region);
  Exchange::Mutate<CreateKeypairResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/CreateKeypair", *request,
      [](ExchangePtr self, const CreateKeypairResponse& response) {
        const absl::StatusOr<std::string> public_key = PublicKeyOf(response.key_material());
        if (!public_key.ok()) return Exchange::Send(std::move(self), public_key.status());
        const JsonObject keypair = JsonObject()
                                       .Text("name", response.key_name())
                                       .Text("public_key", *public_key)
                                       .Text("private_key", response.key_material())
                                       .Text("fingerprint", response.key_fingerprint())
                                       .Text("user_id", self->CallerName());
        Exchange::Send(std::move(self), JsonReply(200, JsonObject().Object("keypair", keypair)));
      });
}

void ListKeyPairs(ExchangePtr exchange) {
  absl::StatusOr<KeyPairList> list = ReadList(*exchange);
  if (!list.ok()) return Exchange::Send(std::move(exchange), list.status());
  ReadPages(std::move(exchange), *std::move(list));
}

void ShowKeyPair(ExchangePtr exchange, const std::string& name) {
  DescribeKeypairsRequest request;
  request.set_region(exchange->RegionOrDefault());
  request.add_key_names(name);
  exchange->path_names_it = true;
  Exchange::Read<DescribeKeypairsResponse>(
      std::move(exchange), "hapax.compute.v1.Compute/DescribeKeypairs", request,
      [name](ExchangePtr self, const DescribeKeypairsResponse& response) {
        if (response.key_pairs().empty()) {
          return Exchange::Send(std::move(self), ErrorReply(404, "Keypair " + name + " not found"));
        }
        HttpReply reply = JsonReply(200, JsonObject().Object("keypair", Details(*self, response.key_pairs(0))));
        Exchange::Send(std::move(self), std::move(reply));
      });
}

void DeleteKeyPair(ExchangePtr exchange, const std::string& name) {
  DeleteKeypairRequest request;
  request.set_region(exchange->region);
  request.set_key_name(name);
  exchange->path_names_it = true;
  Exchange::Mutate<DeleteKeypairResponse>(std::move(exchange), "hapax.compute.v1.Compute/DeleteKeypair", request,
                                          [](ExchangePtr self, const DeleteKeypairResponse& /*response*/) {
                                            Exchange::Send(std::move(self), EmptyReply(202));
                                          });
}

}  // namespace hapax::openstack
