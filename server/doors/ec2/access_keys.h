#ifndef HAPAX_SERVER_DOORS_EC2_ACCESS_KEYS_H_
#define HAPAX_SERVER_DOORS_EC2_ACCESS_KEYS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "hapax/interceptors/principal.h"

namespace hapax::ec2 {

// An access key: whom it identifies, and the secret that its requests are signed with.
struct AccessKey {
  Principal principal;
  std::string secret;
};

// The access keys of a file. Its lines are
//
//   master <64 hexadecimal digits>
//   <tenant> <read|write|admin> <access key id>
//
// The secret of a key is the base64 of the first 30 bytes of HMAC-SHA-256 of its id under the master key: that of the
// last `master` line above. So a file has one secret to guard, however many keys it has, and a key's line can be
// written, read and compared without one. A signature is checked with the secret itself, so digests, as in the file of
// API keys, cannot do. Blank lines and lines that begin with # are ignored. `hapaxctl admin new-access-key` makes
// lines.
//
// An access key id is 16 to 64 of A-Z and 0-9.
//
// Thread-safety: immutable.
class AccessKeys {
 public:
  // Errors: INVALID_ARGUMENT with the number of the faulty line, or when there is no key. The message repeats nothing
  // of the line.
  [[nodiscard]] static absl::StatusOr<AccessKeys> Parse(std::string_view text);

  [[nodiscard]] std::optional<AccessKey> Find(std::string_view id) const;

 private:
  struct Entry {
    Principal principal;
    size_t master = 0;  // Its place in masters_.
  };

  AccessKeys() = default;
  [[nodiscard]] absl::Status AddLine(std::string_view line);

  std::vector<std::string> masters_;
  std::map<std::string, Entry, std::less<>> entries_;  // By id.
};

// The access keys that hold now. Thread-safety: safe.
class AccessKeyRing {
 public:
  using Source = absl::AnyInvocable<absl::StatusOr<AccessKeys>()>;

  // `source` supplies the keys, now and at each Reload. Errors: those of the source.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AccessKeyRing>> Create(Source source);
  // Of the file at `path`, which others than its owner may not read.
  // Errors, also of Reload: "access_keys_file=<path>: <error>", with the line.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AccessKeyRing>> OpenFile(const std::string& path);

  [[nodiscard]] std::optional<AccessKey> Find(std::string_view id) const;
  // On an error it keeps what it had. For one thread at a time.
  [[nodiscard]] absl::Status Reload();

 private:
  AccessKeyRing(Source source, AccessKeys keys) : source_(std::move(source)), keys_(std::move(keys)) {}

  Source source_;
  mutable absl::Mutex mu_;
  AccessKeys keys_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_ACCESS_KEYS_H_
