#ifndef HAPAX_TESTS_STORAGE_ETCD_TXNS_H_
#define HAPAX_TESTS_STORAGE_ETCD_TXNS_H_

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "hapax/storage/etcd/client.h"
#include "hapax/storage/etcd/messages.h"
#include "hapax/tests/support/status_matchers.h"

// Transactions for tests of EtcdClient.
namespace hapax {

inline etcd::v3::TxnRequest PutTxn(const std::string& key, const std::string& value) {
  etcd::v3::TxnRequest txn;
  etcd::v3::PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
  return txn;
}

// The value of the key, or nullopt when there is none.
inline std::optional<std::string> ValueIn(EtcdClient& client, const std::string& key) {
  const EtcdReply reply = ReadAndWait(client, GetTxn(key));
  EXPECT_THAT(reply.status, IsOk());
  if (!reply.status.ok() || reply.response.responses(0).response_range().kvs_size() == 0) return std::nullopt;
  return reply.response.responses(0).response_range().kvs(0).value();
}

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ETCD_TXNS_H_
