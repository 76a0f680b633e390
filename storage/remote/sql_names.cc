#include "hapax/storage/remote/sql_names.h"

#include <cstddef>
#include <utility>

#include "hapax/storage/remote/granule.h"

namespace hapax {

bool SqlNames::Add(GroupRun& run) {
  const size_t known = reads_.size() + writes_.size();
  for (const RemoteRead& read : run.reads().reads()) {
    reads_.insert(read.key);
    if (read.key.kind != RemoteKey::Kind::kRow) continue;
    writes_.insert(read.key);
    for (std::string& granule : GranulesOfRow(read.key.table, read.key.key)) {
      writes_.insert({.kind = RemoteKey::Kind::kGranule, .table = read.key.table, .key = std::move(granule)});
    }
  }
  for (RemoteGroup::Write& write : run.Writes()) writes_.insert(std::move(write.key));
  return reads_.size() + writes_.size() == known;
}

RemoteGroup SqlNames::GroupOn(const std::string& slot) const {
  RemoteGroup group{.slot = slot};
  for (const RemoteKey& key : reads_) group.reads.push_back({.key = key});
  for (const RemoteKey& key : writes_) group.writes.push_back({.key = key});
  return group;
}

}  // namespace hapax
