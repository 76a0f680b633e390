#include "hapax/base/guarded_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace hapax {
namespace {

constexpr off_t kMaxSize = 16 << 20;

absl::Status CannotRead() {
  const std::string message = absl::StrCat("cannot be read: ", std::strerror(errno));
  return errno == ENOENT ? absl::NotFoundError(message) : absl::PermissionDeniedError(message);
}

absl::Status CheckMode(const struct stat& status, OthersMay others_may) {
  switch (others_may) {
    case OthersMay::kRead:
      if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return absl::OkStatus();
      return absl::PermissionDeniedError("may be written by others; chmod go-w it");
    case OthersMay::kNothing:
      break;
  }
  const bool is_roots_alone = status.st_uid == 0 && geteuid() != 0;
  const mode_t too_much = is_roots_alone ? (S_IWGRP | S_IXGRP | S_IRWXO) : (S_IRWXG | S_IRWXO);
  if ((status.st_mode & too_much) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError("holds a secret and may be read or written by others; chmod 600 it");
}

}  // namespace

absl::StatusOr<std::string> ReadGuardedFile(const std::string& path, OthersMay others_may) {
  // O_NONBLOCK: opening a pipe or another special file must not block.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return CannotRead();
  const absl::Cleanup close_it = [&] { close(file); };
  struct stat status {};
  if (fstat(file, &status) != 0) return CannotRead();
  if (!S_ISREG(status.st_mode)) return absl::InvalidArgumentError("is no regular file");
  if (absl::Status allowed = CheckMode(status, others_may); !allowed.ok()) return allowed;
  if (status.st_size == 0) return absl::InvalidArgumentError("is empty");
  if (status.st_size >= kMaxSize) return absl::InvalidArgumentError("must be less than 16 MiB");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead();
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace hapax
