#ifndef HAPAX_STORAGE_ETCD_LAYOUT_H_
#define HAPAX_STORAGE_ETCD_LAYOUT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "hapax/storage/store.h"

// The keys of an engine in etcd. All begin with its prefix (--etcd_prefix), so one cluster may serve others, too.
//
//   key                                  value
//   <prefix>/cluster                     the id of the cluster at the set-up: 16 hexadecimal digits; a space; kVersion
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
  // Of these keys, and of the granules' names (remote/granule.h). Servers of different versions cannot share rows.
  static constexpr char kVersion[] = "1";
  static constexpr size_t kMaxPrefixBytes = 128;

  // Requires: IsPrefix(prefix).
  explicit EtcdLayout(std::string prefix);

  // Whether it begins with "/", does not end with it, has only letters, digits, "/", "_", "-" and ".", and at most
  // kMaxPrefixBytes.
  [[nodiscard]] static bool IsPrefix(std::string_view prefix);

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] std::string ClusterKey() const;
  [[nodiscard]] std::string SlotKey(std::string_view slot) const;
  [[nodiscard]] std::string GranuleKey(Table table, std::string_view granule) const;
  [[nodiscard]] std::string RowKey(Table table, std::string_view key) const;

  // The end of the range of all rows of the table: the first key that follows them.
  [[nodiscard]] std::string RowsEnd(Table table) const;

  // The row's own key in one of etcd's. Nullopt: it is not the key of a row of this table.
  [[nodiscard]] std::optional<std::string_view> KeyOfRow(Table table, std::string_view etcd_key) const;

 private:
  const std::string prefix_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_ETCD_LAYOUT_H_
