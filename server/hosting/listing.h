#ifndef HAPAX_SERVER_HOSTING_LISTING_H_
#define HAPAX_SERVER_HOSTING_LISTING_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/storage/rows.h"

namespace hapax {

// One page of a list, as in AIP-158: a position in a fixed order of keys, so pages stay consistent during writes.
//
// A page token holds the last key that was visited, relative to a prefix fixed by the caller's tenant. It also holds an
// HMAC of that key, the tenant and the query. So it reveals nothing new to the caller, is useless elsewhere, and a
// damaged or forged token is detected. It is valid until the seal keys are rotated.
class Page {
 public:
  // `request` is any list request with fields `page_size` and `page_token`. `key` is CallContext's, and outlives the
  // page. `tenant` is the caller, or empty when all callers get the same list.
  //
  // Errors: INVALID_PARAMETER for a size outside 0 to 1000, or a token that is not of this query and tenant.
  [[nodiscard]] static absl::StatusOr<Page> Of(const google::protobuf::Message& request, std::string_view key,
                                               std::string_view tenant = "");

  // The key, relative to the prefix, after which the page begins; empty for the first page.
  [[nodiscard]] const std::string& after() const { return after_; }
  // Whether the page has its maximum of rows, or of bytes, so that a reply fits into gRPC's usual limit of 4 MiB.
  [[nodiscard]] bool IsFull() const { return taken_ == size_ || bytes_ >= kFullBytes; }
  void Take(size_t bytes) {
    ++taken_;
    bytes_ += bytes;
  }

  // The token of the page that begins after `key`.
  [[nodiscard]] std::string TokenAfter(std::string_view key) const;

 private:
  // The largest row, with 50 tags of maximum length, has less than 100 KB.
  static constexpr size_t kFullBytes = size_t{3} << 20;

  std::string_view key_;
  std::string query_;
  std::string after_;
  int32_t size_ = 0;
  int32_t taken_ = 0;
  size_t bytes_ = 0;
};

// The last element of a key made of strings; as much of it as is readable when the key is damaged.
[[nodiscard]] std::string LastElement(std::string_view key);

// Fills a page from the rows below `prefix`. `take` is given each row with its key, and returns whether the row belongs
// to the list. A damaged row does not end the list: `take_damaged` is given its key.
//
// Returns the token of the next page; empty on the last one. It visits a bounded number of rows, so a page may be
// short.
template <typename Row>
[[nodiscard]] absl::StatusOr<std::string> ListKeyedRows(const ReadTransaction& txn, Table table,
                                                        const std::string& prefix, Page page,
                                                        absl::FunctionRef<bool(std::string_view key, const Row&)> take,
                                                        absl::FunctionRef<bool(std::string_view key)> take_damaged) {
  constexpr int kMaxRowsLookedAt = 20'000;
  KeyRange range = KeyRange::Prefix(prefix);
  if (!page.after().empty()) range = KeyRange::After(std::move(range), prefix + page.after());
  int looked_at = 0;
  std::string last_key;
  bool more = false;
  HAPAX_RETURN_IF_ERROR(txn.Scan(table, range, [&](std::string_view key, std::string_view value) {
    more = page.IsFull() || looked_at == kMaxRowsLookedAt;
    if (more) return false;
    ++looked_at;
    last_key = std::string(key.substr(prefix.size()));
    Row row;
    if (DecodeRow(key, value, &row).ok() ? take(key, row) : take_damaged(key)) page.Take(value.size());
    return true;
  }));
  return more ? page.TokenAfter(last_key) : std::string();
}

// Like ListKeyedRows, for rows that do not need their keys. For a damaged row, `take_damaged` is given the last element
// of its key, such as an id.
template <typename Row>
[[nodiscard]] absl::StatusOr<std::string> ListRows(const ReadTransaction& txn, Table table, const std::string& prefix,
                                                   Page page, absl::FunctionRef<bool(const Row&)> take,
                                                   absl::FunctionRef<bool(const std::string& id)> take_damaged) {
  return ListKeyedRows<Row>(
      txn, table, prefix, std::move(page), [&](std::string_view /*key*/, const Row& row) { return take(row); },
      [&](std::string_view key) { return take_damaged(LastElement(key)); });
}

// Fills a page from `names`, in order. `take` is given each name, and returns how many bytes it added to the page, or
// an error.
[[nodiscard]] absl::StatusOr<std::string> ListNames(const std::set<std::string>& names, Page page,
                                                    absl::FunctionRef<absl::StatusOr<size_t>(const std::string&)> take);

}  // namespace hapax

#endif  // HAPAX_SERVER_HOSTING_LISTING_H_
