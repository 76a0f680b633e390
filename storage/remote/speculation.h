#ifndef HAPAX_STORAGE_REMOTE_SPECULATION_H_
#define HAPAX_STORAGE_REMOTE_SPECULATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/storage/remote/backend.h"
#include "hapax/storage/remote/fetched_state.h"
#include "hapax/storage/remote/guess_cache.h"
#include "hapax/storage/store.h"

namespace hapax {

// What the bodies of one group read outside their own writes, in one run.
//
// A read never waits. It is answered from the last fetch, else by a guess: the cache's value, else "absent", and for a
// scan "no rows". A run on guesses serves to find out what to fetch, or goes on to a commit that compares the guesses.
//
// The first answer for a row is pinned: every later read of it in the run has the same answer, and it is the revision
// of this answer that the commit compares. So what is compared is what a body saw.
//
// Thread-safety: like a standard container. Lifetime: `state` and `cache` outlive it.
class Speculation final : public ReadTransaction {
 public:
  // Rows, and bytes of their values, that are fetched of a scan at first. Each further fetch asks for kMore times as
  // many.
  static constexpr int64_t kFirstRows = 128;
  static constexpr int64_t kFirstBytes = int64_t{1} << 20;
  static constexpr int64_t kMore = 16;

  Speculation(const FetchedState& state, GuessCache& cache) : state_(state), cache_(cache) {}

  // These never fail.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  [[nodiscard]] absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override;

  // The read set: each row and granule that was read, with the revision that was seen.
  [[nodiscard]] std::vector<RemoteRead> reads() const;
  [[nodiscard]] int64_t read_count() const { return static_cast<int64_t>(pinned_.size()); }
  // The bytes of the keys of the read set.
  [[nodiscard]] int64_t key_bytes() const { return key_bytes_; }
  // The answer that was given for the row; null: it was not read.
  [[nodiscard]] const RemoteValue* Find(const RemoteKey& key) const;
  // A fetch of everything that was read. Rows of scans come with their scans.
  [[nodiscard]] RemoteFetch Wanted() const;

  // How many rows that fetch may return.
  [[nodiscard]] int64_t wanted_rows() const;
  // Of how many bytes the rows of its scans may be.
  [[nodiscard]] int64_t wanted_scan_bytes() const;

  // Whether something read did not come from the fetched state.
  [[nodiscard]] bool guessed() const { return guessed_; }
  // Whether the run cannot be committed: a scan lacks its rows, or a row was seen in two revisions.
  [[nodiscard]] bool must_fetch() const { return must_fetch_; }
  // The bytes of all keys and values read.
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  // Returns the answer for the row; the first time, it is `value`.
  const RemoteValue& Pin(RemoteKey key, const RemoteValue& value) const;
  const RemoteValue& Answer(RemoteKey key) const;
  void Want(RemoteFetch::Scan scan) const;

  const FetchedState& state_;
  GuessCache& cache_;
  mutable absl::btree_map<RemoteKey, RemoteValue> pinned_;
  mutable std::vector<RemoteKey> asked_;  // Without the rows of scans.
  mutable std::vector<RemoteFetch::Scan> scans_;
  mutable bool guessed_ = false;
  mutable bool must_fetch_ = false;
  mutable int64_t bytes_ = 0;
  mutable int64_t key_bytes_ = 0;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_REMOTE_SPECULATION_H_
