#include "hapax/storage/rocksdb/synced_names.h"

#include <filesystem>
#include <string>
#include <utility>

#include "rocksdb/file_system.h"
#include "rocksdb/system_clock.h"

namespace hapax {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class SyncedNames final : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;

  [[nodiscard]] const char* Name() const override { return "SyncedNames"; }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    const std::filesystem::path path(to);
    if (path.filename() == "CURRENT") {
      std::unique_ptr<rocksdb::FSDirectory> directory;
      IOStatus status = NewDirectory(path.parent_path(), options, &directory, dbg);
      if (status.ok()) status = directory->Fsync(options, dbg);
      if (!status.ok()) return status;
    }
    return FileSystemWrapper::RenameFile(from, to, options, dbg);
  }
};

// A composite env alone would have the machine's clock, whatever the clock of the wrapped env.
class SyncedNamesEnv final : public rocksdb::EnvWrapper {
 public:
  SyncedNamesEnv(const std::shared_ptr<rocksdb::FileSystem>& files, std::shared_ptr<rocksdb::SystemClock> clock)
      : rocksdb::EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::move(clock);
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> WithSyncedNames(const rocksdb::Env& env) {
  return std::make_unique<SyncedNamesEnv>(std::make_shared<SyncedNames>(env.GetFileSystem()), env.GetSystemClock());
}

}  // namespace hapax
