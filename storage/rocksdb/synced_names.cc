#include "hapax/storage/rocksdb/synced_names.h"

#include <filesystem>
#include <string>

#include "rocksdb/file_system.h"

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

}  // namespace

std::unique_ptr<rocksdb::Env> WithSyncedNames(const rocksdb::Env& env) {
  return rocksdb::NewCompositeEnv(std::make_shared<SyncedNames>(env.GetFileSystem()));
}

}  // namespace hapax
