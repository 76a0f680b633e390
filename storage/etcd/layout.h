#ifndef HAPAX_STORAGE_ETCD_LAYOUT_H_
#define HAPAX_STORAGE_ETCD_LAYOUT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hapax/storage/store.h"

// The keys of an engine in etcd. All begin with its prefix (--etcd_prefix), so one cluster may serve others, too.
//
//   key                                  value
//   <prefix>/cluster                     the id of the cluster at the set-up: 16 hexadecimal digits
//   <prefix>/layout                      EtcdLayout::kVersion, a blank, and the release that set the engine up
//   <prefix>/slot/<slot name>            owner, epoch and number of the last group (slot.h)
//   <prefix>/granule/<table>/<granule>   empty; its mod revision is that of the last write in the granule
//   <prefix>/row/<table>/<key>           the row
//
//   /hapax/row/tokens/<key bytes>
//   |    | |   |      '- any bytes: nothing follows, so nothing is escaped
//   |    | |   '- TableName (format.h), which contains no "/"
//   |    | '- the kind
//   |    '- the prefix: begins with "/", and does not end with it
//
// So the keys of a table are in the order of its rows. The prefix of one engine must not begin with that of another.
namespace hapax {

class EtcdLayout {
 public:
  // Requires: IsPrefix(prefix).
  explicit EtcdLayout(std::string prefix);

  // Of everything that servers of one engine must agree on: the keys here, the slot's value (slot.h), the granules that
  // each write of a row puts (storage/remote/granule.h), and the tables and rows (format.h). A change of any of them is
  // another version, which no server of this one starts on.
  static constexpr int kVersion = 1;

  // The bytes of a prefix at most: it is repeated in each key.
  static constexpr size_t kMaxPrefixBytes = 256;

  // Whether it begins with "/", does not end with it, has only letters, digits, "/", "_", "-" and ".", and is not
  // longer than kMaxPrefixBytes.
  [[nodiscard]] static bool IsPrefix(std::string_view prefix);

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] std::string ClusterKey() const;
  [[nodiscard]] std::string LayoutKey() const;
  [[nodiscard]] std::string SlotKey(std::string_view slot) const;
  [[nodiscard]] std::string GranuleKey(Table table, std::string_view granule) const;
  [[nodiscard]] std::string RowKey(Table table, std::string_view key) const;

  // The end of the range of all rows of the table: the first key that follows them.
  [[nodiscard]] std::string RowsEnd(Table table) const;

  // The row's own key in one of etcd's. Errors: INTERNAL, RowKey of this table did not make it.
  [[nodiscard]] absl::StatusOr<std::string_view> KeyOfRow(Table table, std::string_view etcd_key) const;

 private:
  const std::string prefix_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_LAYOUT_H_
