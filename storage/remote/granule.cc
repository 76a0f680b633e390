#include "hapax/storage/remote/granule.h"

namespace hapax {
namespace {

// Ends each string element of a key. A number element may contain it, too. That does no harm: the names of granules
// need only be prefixes that depend on nothing behind them.
constexpr std::string_view kElementEnd("\0\1", 2);

// The number of leading elements that servers scan by.
int DepthOf(Table table) {
  switch (table) {
    case Table::kWork:
      return 0;
    case Table::kMeta:
      return 1;               // (kind)
    case Table::kTokens:      // (tenant, region)
    case Table::kOperations:  // ("operation", tenant)
      return 2;
    case Table::kResources:
      return 3;  // (service, kind, owner)
  }
  return 0;
}

}  // namespace

std::vector<std::string> GranulesOfRow(Table table, std::string_view key) {
  std::vector<std::string> granules = {""};
  size_t from = 0;
  for (int depth = DepthOf(table); depth > 0; --depth) {
    const size_t end = key.find(kElementEnd, from);
    if (end == std::string_view::npos) break;
    from = end + kElementEnd.size();
    granules.emplace_back(key.substr(0, from));
  }
  return granules;
}

std::string GranuleOfRange(Table table, const KeyRange& range) {
  std::vector<std::string> granules = GranulesOfRow(table, range.begin);
  while (granules.size() > 1) {
    const KeyRange all = KeyRange::Prefix(granules.back());
    if (!range.end.empty() && (all.end.empty() || range.end <= all.end)) return granules.back();
    granules.pop_back();
  }
  return "";
}

}  // namespace hapax
