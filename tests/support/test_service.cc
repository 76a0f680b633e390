#include "hapax/tests/support/test_service.h"

#include <any>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"
#include "hapax/tests/support/test_methods.h"

namespace hapax {
namespace {

using tests::v1::CountOrdersRequest;
using tests::v1::CountOrdersResponse;
using tests::v1::PlaceOrderRequest;
using tests::v1::PlaceOrderResponse;

constexpr std::string_view kKind = "order";

absl::StatusOr<std::vector<std::string>> Orders(const ReadTransaction& txn) {
  std::vector<std::string> orders;
  absl::Status damage;
  const KeyRange range = KeyRange::Prefix(KeyBuilder().String(kKind).Build());
  const absl::Status scanned = txn.Scan(Table::kResources, range, [&](std::string_view key, std::string_view item) {
    KeyParser parser(key);
    damage = parser.String().status();
    const absl::StatusOr<uint64_t> number = parser.Uint64();
    if (damage.ok()) damage = number.status();
    if (damage.ok()) orders.push_back(absl::StrCat(*number, " ", std::string(item)));
    return damage.ok();
  });
  HAPAX_RETURN_IF_ERROR(scanned);
  HAPAX_RETURN_IF_ERROR(damage);
  return orders;
}

absl::Status Count(const CallContext&, const ReadTransaction& txn, const Method::Message&, Method::Message* reply) {
  HAPAX_ASSIGN_OR_RETURN(const std::vector<std::string> orders, Orders(txn));
  auto& response = static_cast<CountOrdersResponse&>(*reply);
  response.set_count(response.count() + static_cast<int>(orders.size()));
  return absl::OkStatus();
}

}  // namespace

TestService::TestService()
    : place_order_(MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"))),
      engrave_order_(MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "EngraveOrder"))),
      seal_order_(MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "SealOrder"))),
      hasten_order_(MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "HastenOrder"))),
      count_orders_(MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"))) {
  HandlePlacing(place_order_);
  HandlePlacing(hasten_order_);
  HandleEngraving(engrave_order_);
  HandleEngraving(seal_order_);
  count_orders_.read = Count;
}

void TestService::HandlePlacing(Method& method) {
  method.mutate = [this](const CallContext& context, Transaction& txn, const Method::Message& request,
                         const std::any& prepared, Method::Message* reply) {
    EXPECT_FALSE(prepared.has_value()) << "of a method that prepares nothing";
    return Place(context, txn, static_cast<const PlaceOrderRequest&>(request), /*engraving=*/"",
                 static_cast<PlaceOrderResponse*>(reply));
  };
}

void TestService::HandleEngraving(Method& method) {
  method.prepare = [this](const CallContext& context, const Method::Message& request) {
    return Prepare(context, static_cast<const PlaceOrderRequest&>(request));
  };
  method.mutate = [this](const CallContext& context, Transaction& txn, const Method::Message& request,
                         const std::any& prepared, Method::Message* reply) {
    return Place(context, txn, static_cast<const PlaceOrderRequest&>(request), std::any_cast<std::string>(prepared),
                 static_cast<PlaceOrderResponse*>(reply));
  };
}

absl::Status TestService::Place(const CallContext& context, Transaction& txn, const PlaceOrderRequest& request,
                                const std::string& engraving, PlaceOrderResponse* reply) {
  const int number = ++runs_;
  txn.Put(Table::kResources, KeyBuilder().String(kKind).Uint64(static_cast<uint64_t>(number)).Build(), request.item());
  reply->set_order_number(static_cast<uint64_t>(number));
  reply->set_tenant(context.tenant);
  reply->set_region(context.place.region);
  reply->set_zone(context.place.zone);
  reply->set_item(request.item());
  *reply->mutable_labels() = request.labels();
  reply->set_engraving(engraving);
  return handler_hook == nullptr ? absl::OkStatus() : handler_hook(context, txn);
}

absl::StatusOr<std::any> TestService::Prepare(const CallContext& context, const PlaceOrderRequest& request) {
  {
    absl::MutexLock lock(&mu_);
    prepare_threads_.push_back(std::this_thread::get_id());
  }
  if (prepare_hook != nullptr) HAPAX_RETURN_IF_ERROR(prepare_hook(context));
  return std::any("engraved: " + request.item());
}

std::vector<std::thread::id> TestService::prepare_threads() const {
  absl::MutexLock lock(&mu_);
  return prepare_threads_;
}

std::vector<std::string> DurableOrders(Store& store) {
  absl::StatusOr<std::vector<std::string>> orders;
  store.Query(
      [&](const ReadTransaction& txn) {
        orders = Orders(txn);
        return orders.status();
      },
      [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  return orders.value();
}

int DurableRowCount(Store& store, Table table) {
  int count = 0;
  store.Query(
      [&](const ReadTransaction& txn) {
        return txn.Scan(table, KeyRange(), [&](std::string_view, std::string_view) {
          ++count;
          return true;
        });
      },
      [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  return count;
}

PlaceOrderResponse Order(const std::string& reply) {
  PlaceOrderResponse order;
  EXPECT_TRUE(order.ParseFromString(reply));
  return order;
}

}  // namespace hapax
