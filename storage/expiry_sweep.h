#ifndef HAPAX_STORAGE_EXPIRY_SWEEP_H_
#define HAPAX_STORAGE_EXPIRY_SWEEP_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"

namespace hapax {

// Gives the space of expired rows back, page by page, in a store whose engine does not do so itself.
//
//   ExpirySweep sweep(store, rule);
//   for (bool at_end = false; !at_end;) { HAPAX_ASSIGN_OR_RETURN(const auto page, sweep.Next()); at_end = page.at_end;
//   }
//
// A page (paged_scan.h) is read first. What has expired in it is judged again in the transaction that replaces or
// deletes it, so a row that was written anew meanwhile is kept. Several servers may sweep at once.
//
// Thread-safety: for one thread at a time. Lifetime: store and rule outlive it.
class ExpirySweep {
 public:
  struct Page {
    int64_t changed = 0;  // Rows that were replaced or deleted.
    bool at_end = false;  // The next page is the table's first.
  };

  ExpirySweep(Store& store, const ExpiryRule& rule) : store_(store), rule_(rule) {}

  // Sweeps the next page. Blocks. Errors: those of the store; the same page is next then.
  [[nodiscard]] absl::StatusOr<Page> Next();

 private:
  Store& store_;
  const ExpiryRule& rule_;
  KeyRange rest_;  // Of the table.
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_EXPIRY_SWEEP_H_
