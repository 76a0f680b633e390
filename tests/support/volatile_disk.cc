#include "hapax/tests/support/volatile_disk.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace hapax {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus PowerIsCut() { return IOStatus::IOError("the power is cut"); }

// From 0 to `end`, inclusive.
uint64_t UpTo(uint64_t end, std::mt19937_64& random) { return std::uniform_int_distribution<uint64_t>(0, end)(random); }

}  // namespace

// A file, whatever its name and whether it has one. Its bytes are in `path`, a hard link.
class VolatileDisk::Inode {
 public:
  explicit Inode(std::filesystem::path path) : path_(std::move(path)) {}
  ~Inode() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Inode(const Inode&) = delete;
  Inode& operator=(const Inode&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  uint64_t size = 0;
  uint64_t synced_size = 0;

 private:
  const std::filesystem::path path_;
};

class VolatileDisk::State {
 public:
  explicit State(const std::string& directory) : directory_(directory), inodes_(directory + ".inodes") {
    std::filesystem::create_directories(inodes_);
  }

  [[nodiscard]] bool Has(const std::string& path) const {
    return std::filesystem::path(path).parent_path() == directory_;
  }
  [[nodiscard]] bool IsDirectory(const std::string& path) const {
    return std::filesystem::path(path).lexically_normal() == directory_;
  }

  // Runs `operation` unless the power is cut; the power is not cut while it runs.
  IOStatus Do(absl::FunctionRef<IOStatus()> operation) const {
    absl::MutexLock lock(&mu_);
    return power_is_cut_ ? PowerIsCut() : operation();
  }

  // These record a change of the directory, after the same change on the machine. Within Do.
  std::shared_ptr<Inode> Create(const std::string& path) {
    auto inode = std::make_shared<Inode>(inodes_ / std::to_string(++last_inode_));
    std::filesystem::create_hard_link(path, inode->path());
    Apply({.added = NameOf(path), .inode = inode});
    return inode;
  }
  // RocksDB's lock and its logger's file are not created through Create, and are ignored.
  void Rename(const std::string& from, const std::string& to) {
    const auto inode = names_.find(NameOf(from));
    if (inode != names_.end()) Apply({.removed = NameOf(from), .added = NameOf(to), .inode = inode->second});
  }
  void Delete(const std::string& path) {
    if (names_.contains(NameOf(path))) Apply({.removed = NameOf(path)});
  }
  void SyncDirectory() {
    synced_names_ = names_;
    unsynced_.clear();
  }

  void CutPower() {
    absl::MutexLock lock(&mu_);
    power_is_cut_ = true;
  }
  [[nodiscard]] bool power_is_cut() const {
    absl::MutexLock lock(&mu_);
    return power_is_cut_;
  }

  void Reboot(std::mt19937_64* random) {
    absl::MutexLock lock(&mu_);
    if (random != nullptr) KeepSomeChanges(*random);
    unsynced_.clear();
    names_ = synced_names_;
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    for (auto& [name, inode] : names_) {
      const uint64_t kept = random == nullptr ? 0 : UpTo(inode->size - inode->synced_size, *random);
      inode->size = inode->synced_size += kept;
      std::filesystem::resize_file(inode->path(), inode->size);
      std::filesystem::create_hard_link(inode->path(), directory_ / name);
    }
    power_is_cut_ = false;
  }

 private:
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  // A change of the directory; an empty name means none.
  struct Change {
    std::string removed;
    std::string added;
    std::shared_ptr<Inode> inode;  // Of the added name.
  };

  static std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename().string(); }

  static void ApplyTo(Names& names, const Change& change) {
    if (!change.removed.empty()) names.erase(change.removed);
    if (!change.added.empty()) names[change.added] = change.inode;
  }
  void Apply(Change change) {
    ApplyTo(names_, change);
    unsynced_.push_back(std::move(change));
  }

  void KeepSomeChanges(std::mt19937_64& random) {
    constexpr uint64_t kAll = 4;
    const uint64_t share = UpTo(kAll, random);  // Of the changes kept, in quarters.
    std::set<std::string> lost;                 // Names that keep their state before a change that was lost.
    for (const Change& change : unsynced_) {
      const bool follows_lost = lost.contains(change.removed) || lost.contains(change.added);
      if (!follows_lost && UpTo(kAll - 1, random) < share) {
        ApplyTo(synced_names_, change);
        continue;
      }
      for (const std::string& name : {change.removed, change.added}) {
        if (!name.empty()) lost.insert(name);
      }
    }
  }

  const std::filesystem::path directory_;
  const std::filesystem::path inodes_;

  mutable absl::Mutex mu_;  // Do holds it around the operation, too.
  bool power_is_cut_ ABSL_GUARDED_BY(mu_) = false;
  int last_inode_ = 0;
  Names names_;                   // As programs see them.
  Names synced_names_;            // As after a cut that keeps nothing else.
  std::vector<Change> unsynced_;  // The changes from synced_names_ to names_.
};

class VolatileDisk::WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<Inode> inode,
               std::shared_ptr<State> state)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), inode_(std::move(inode)), state_(std::move(state)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return state_->Do([&] {
      IOStatus status = FSWritableFileOwnerWrapper::Append(data, options, dbg);
      if (status.ok()) inode_->size += data.size();
      return status;
    });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return state_->Do([&] {
      if (size < inode_->synced_size) return IOStatus::NotSupported("truncating what is synced");
      IOStatus status = FSWritableFileOwnerWrapper::Truncate(size, options, dbg);
      if (status.ok()) inode_->size = size;
      return status;
    });
  }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override { return Sync(); }
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override { return Sync(); }
  IOStatus RangeSync(uint64_t /*offset*/, uint64_t /*size*/, const IOOptions& /*options*/,
                     IODebugContext* /*dbg*/) override {
    return IOStatus::OK();  // It promises nothing.
  }

 private:
  IOStatus Sync() {
    return state_->Do([&] {
      inode_->synced_size = inode_->size;
      return IOStatus::OK();
    });
  }

  const std::shared_ptr<Inode> inode_;
  const std::shared_ptr<State> state_;
};

class VolatileDisk::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<rocksdb::FSDirectory> directory, std::shared_ptr<State> state)
      : rocksdb::FSDirectoryWrapper(std::move(directory)), state_(std::move(state)) {}

  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return state_->Do([&] {
      state_->SyncDirectory();
      return IOStatus::OK();
    });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& /*directory_options*/) override {
    return Fsync(options, dbg);
  }

 private:
  const std::shared_ptr<State> state_;
};

// Refuses operations that would bypass the bookkeeping. RocksDB uses none of them here.
class VolatileDisk::Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(std::shared_ptr<State> state)
      : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  [[nodiscard]] const char* Name() const override { return "VolatileDisk"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) override {
    if (!state_->Has(path)) return FileSystemWrapper::NewWritableFile(path, options, file, dbg);
    return state_->Do([&] {
      std::filesystem::remove(path);  // Not truncated: the old bytes belong to another inode.
      IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, dbg);
      if (status.ok()) *file = std::make_unique<WritableFile>(std::move(*file), state_->Create(path), state_);
      return status;
    });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::NewDirectory(path, options, directory, dbg);
    if (status.ok() && state_->IsDirectory(path)) {
      *directory = std::make_unique<Directory>(std::move(*directory), state_);
    }
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    if (!state_->Has(from) || !state_->Has(to)) return FileSystemWrapper::RenameFile(from, to, options, dbg);
    return state_->Do([&] {
      IOStatus status = FileSystemWrapper::RenameFile(from, to, options, dbg);
      if (status.ok()) state_->Rename(from, to);
      return status;
    });
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* dbg) override {
    if (!state_->Has(path)) return FileSystemWrapper::DeleteFile(path, options, dbg);
    return state_->Do([&] {
      IOStatus status = FileSystemWrapper::DeleteFile(path, options, dbg);
      if (status.ok()) state_->Delete(path);
      return status;
    });
  }

  IOStatus ReopenWritableFile(const std::string& /*path*/, const rocksdb::FileOptions& /*options*/,
                              std::unique_ptr<rocksdb::FSWritableFile>* /*file*/, IODebugContext* /*dbg*/) override {
    return IOStatus::NotSupported("ReopenWritableFile");
  }
  IOStatus ReuseWritableFile(const std::string& /*path*/, const std::string& /*old_path*/,
                             const rocksdb::FileOptions& /*options*/,
                             std::unique_ptr<rocksdb::FSWritableFile>* /*file*/, IODebugContext* /*dbg*/) override {
    return IOStatus::NotSupported("ReuseWritableFile");
  }
  IOStatus NewRandomRWFile(const std::string& /*path*/, const rocksdb::FileOptions& /*options*/,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* /*file*/, IODebugContext* /*dbg*/) override {
    return IOStatus::NotSupported("NewRandomRWFile");
  }
  IOStatus Truncate(const std::string& /*path*/, size_t /*size*/, const IOOptions& /*options*/,
                    IODebugContext* /*dbg*/) override {
    return IOStatus::NotSupported("Truncate");
  }
  IOStatus LinkFile(const std::string& /*from*/, const std::string& /*to*/, const IOOptions& /*options*/,
                    IODebugContext* /*dbg*/) override {
    return IOStatus::NotSupported("LinkFile");
  }

 private:
  const std::shared_ptr<State> state_;
};

VolatileDisk::VolatileDisk(const std::string& directory)
    : state_(std::make_shared<State>(directory)), files_(std::make_shared<Files>(state_)) {}

VolatileDisk::~VolatileDisk() = default;

std::shared_ptr<rocksdb::FileSystem> VolatileDisk::files() const { return files_; }
void VolatileDisk::CutPower() { state_->CutPower(); }
bool VolatileDisk::power_is_cut() const { return state_->power_is_cut(); }
void VolatileDisk::Reboot(std::mt19937_64* random) { state_->Reboot(random); }

}  // namespace hapax
