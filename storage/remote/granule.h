#ifndef HAPAX_STORAGE_REMOTE_GRANULE_H_
#define HAPAX_STORAGE_REMOTE_GRANULE_H_

#include <string>
#include <string_view>
#include <vector>

#include "hapax/storage/key.h"
#include "hapax/storage/store.h"

// Granules: the parts of a table that scans compare as a whole (RemoteKey in backend.h).
//
// A granule is the rows of a table whose keys begin with the same elements (key.h). It is named by the bytes of these
// elements. Each row belongs to the granule of its whole table, named "", and to one of each number of elements up to
// the table's depth. A scan compares the smallest granule that contains its range.
//
//   operations   key ("operation", "acme", "op-7")     granules: "", ("operation"), ("operation", "acme")
//                scan of ("operation", "acme", ...)    compares ("operation", "acme")
//                scan of the table                     compares ""
//
// A table's depth is that of the prefixes that servers scan. A greater depth would give each row a granule of its own.
namespace hapax {

// The names of all granules that the row belongs to.
[[nodiscard]] std::vector<std::string> GranulesOfRow(Table table, std::string_view key);

// The name of the smallest granule that contains the range.
[[nodiscard]] std::string GranuleOfRange(Table table, const KeyRange& range);

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_GRANULE_H_
