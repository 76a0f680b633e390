#ifndef HAPAX_TESTS_SERVER_SUPPORT_HOST_LIST_FIXTURE_H_
#define HAPAX_TESTS_SERVER_SUPPORT_HOST_LIST_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/server/compute/rows.h"
#include "hapax/server/hosting/listing.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::compute {

inline constexpr char kListTenant[] = "tenant";

inline std::string Name(int number) { return absl::StrFormat("h-%05d", number); }

// A page.
struct Listed {
  std::vector<std::string> names;
  std::string next_page_token;
};

// Hosts as rows of a store, listed by a DescribeHostsRequest.
class ListRowsTest : public testing::Test {
 protected:
  using Filter = std::function<bool(const v1::Host&)>;

  ListRowsTest() : store_(*OpenRocksDbStore({.path = dir_.Path("data")})) {}

  void Change(const std::function<void(Transaction&)>& change) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          change(txn);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  static void Put(Transaction& txn, const std::string& name, const std::string& tenant = kListTenant) {
    v1::Host host;
    host.set_host_id(name);
    PutRow(txn, kTable, HostKey(tenant, name), host);
  }
  void PutMany(int count) {
    Change([&](Transaction& txn) {
      for (int i = 0; i < count; ++i) Put(txn, Name(i));
    });
  }

  absl::StatusOr<Listed> List(const v1::DescribeHostsRequest& request, const Filter& filter = nullptr,
                              const std::string& tenant = kListTenant) {
    Listed listed;
    HAPAX_RETURN_IF_ERROR(Query(*store_, [&](const ReadTransaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const Page page, Page::Of(request, key_, tenant));
      HAPAX_ASSIGN_OR_RETURN(listed.next_page_token, ListRows<v1::Host>(
                                                         txn, kTable, HostPrefix(tenant), page,
                                                         [&](const v1::Host& host) {
                                                           const bool belongs = filter == nullptr || filter(host);
                                                           if (belongs) listed.names.push_back(host.host_id());
                                                           return belongs;
                                                         },
                                                         [&](const std::string& id) {
                                                           listed.names.push_back("damaged " + id);
                                                           return true;
                                                         }));
      return absl::OkStatus();
    }));
    return listed;
  }

  std::string key_ = "page token key";
  const TempDir dir_;
  const std::unique_ptr<Store> store_;
};

}  // namespace hapax::compute

#endif  // HAPAX_TESTS_SERVER_SUPPORT_HOST_LIST_FIXTURE_H_
