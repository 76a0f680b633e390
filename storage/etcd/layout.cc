#include "hapax/storage/etcd/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hapax/base/check.h"
#include "hapax/storage/format.h"

namespace hapax {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

static_assert(EtcdLayout::kVersion == 1 && kFormatVersion == 2, "a change of the rows' format is another layout, too");

std::string RowsBegin(const std::string& prefix, Table table) {
  return absl::StrCat(prefix, "/row/", View(TableName(table)), "/");
}

}  // namespace

EtcdLayout::EtcdLayout(std::string prefix) : prefix_(std::move(prefix)) {
  HAPAX_CHECK(IsPrefix(prefix_), "the prefix was checked with the options");
}

bool EtcdLayout::IsPrefix(std::string_view prefix) {
  return prefix.size() > 1 && prefix.size() <= kMaxPrefixBytes && prefix.front() == '/' && prefix.back() != '/' &&
         std::all_of(prefix.begin(), prefix.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '.';
         });
}

std::string EtcdLayout::ClusterKey() const { return absl::StrCat(prefix_, "/cluster"); }

std::string EtcdLayout::LayoutKey() const { return absl::StrCat(prefix_, "/layout"); }

std::string EtcdLayout::SlotKey(std::string_view slot) const { return absl::StrCat(prefix_, "/slot/", View(slot)); }

std::string EtcdLayout::GranuleKey(Table table, std::string_view granule) const {
  return absl::StrCat(prefix_, "/granule/", View(TableName(table)), "/", View(granule));
}

std::string EtcdLayout::RowKey(Table table, std::string_view key) const {
  return absl::StrCat(RowsBegin(prefix_, table), View(key));
}

std::string EtcdLayout::RowsEnd(Table table) const {
  std::string end = RowsBegin(prefix_, table);
  ++end.back();
  return end;
}

absl::StatusOr<std::string_view> EtcdLayout::KeyOfRow(Table table, std::string_view etcd_key) const {
  const std::string begin = RowsBegin(prefix_, table);
  if (etcd_key.substr(0, begin.size()) != begin) {
    return absl::InternalError("etcd's answer has a key that is not in the range that was asked for");
  }
  return etcd_key.substr(begin.size());
}

}  // namespace hapax
