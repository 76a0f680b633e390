#include "hapax/tests/support/faulty_file_system.h"

#include <algorithm>
#include <utility>

#include "rocksdb/system_clock.h"

namespace hapax {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

rocksdb::IOStatus FaultyFileSystem::State::Ask(FileOperation operation, std::string_view path) {
  absl::MutexLock lock(&mu);
  return hook == nullptr ? IOStatus::OK() : hook(operation, path);
}

class FaultyFileSystem::WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, std::shared_ptr<State> state)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), state_(std::move(state)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kWrite, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, dbg) : status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kWrite, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, verification, dbg) : status;
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kTruncate, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Truncate(size, options, dbg) : status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kSync, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, dbg) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kSync, path_);
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, dbg) : status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<State> state_;
};

class FaultyFileSystem::RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string path, std::shared_ptr<State> state)
      : rocksdb::FSRandomAccessFileOwnerWrapper(std::move(file)), path_(std::move(path)), state_(std::move(state)) {}

  IOStatus Read(uint64_t offset, size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* dbg) const override {
    IOStatus status = state_->Ask(FileOperation::kRead, path_);
    return status.ok() ? FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, dbg) : status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<State> state_;
};

class FaultyFileSystem::SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::unique_ptr<rocksdb::FSSequentialFile> file, std::string path, std::shared_ptr<State> state)
      : rocksdb::FSSequentialFileOwnerWrapper(std::move(file)), path_(std::move(path)), state_(std::move(state)) {}

  IOStatus Read(size_t size, const IOOptions& options, Slice* result, char* scratch, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kRead, path_);
    return status.ok() ? FSSequentialFileOwnerWrapper::Read(size, options, result, scratch, dbg) : status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<State> state_;
};

class FaultyFileSystem::Directory final : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<rocksdb::FSDirectory> directory, std::string path, std::shared_ptr<State> state)
      : rocksdb::FSDirectoryWrapper(std::move(directory)), path_(std::move(path)), state_(std::move(state)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kSync, path_);
    return status.ok() ? FSDirectoryWrapper::Fsync(options, dbg) : status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& directory_options) override {
    IOStatus status = state_->Ask(FileOperation::kSync, path_);
    return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, dbg, directory_options) : status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<State> state_;
};

class FaultyFileSystem::Files final : public rocksdb::FileSystemWrapper {
 public:
  Files(std::shared_ptr<rocksdb::FileSystem> files, std::shared_ptr<State> state)
      : rocksdb::FileSystemWrapper(std::move(files)), state_(std::move(state)) {}

  [[nodiscard]] const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kCreate, path);
    if (status.ok()) status = FileSystemWrapper::NewWritableFile(path, options, file, dbg);
    if (status.ok()) *file = std::make_unique<WritableFile>(std::move(*file), path, state_);
    return status;
  }
  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(path, options, file, dbg);
    if (status.ok()) *file = std::make_unique<RandomAccessFile>(std::move(*file), path, state_);
    return status;
  }
  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::NewSequentialFile(path, options, file, dbg);
    if (status.ok()) *file = std::make_unique<SequentialFile>(std::move(*file), path, state_);
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::NewDirectory(path, options, directory, dbg);
    if (status.ok()) *directory = std::make_unique<Directory>(std::move(*directory), path, state_);
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kRename, to);
    return status.ok() ? FileSystemWrapper::RenameFile(from, to, options, dbg) : status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = state_->Ask(FileOperation::kDelete, path);
    return status.ok() ? FileSystemWrapper::DeleteFile(path, options, dbg) : status;
  }

 private:
  const std::shared_ptr<State> state_;
};

// Shortens RocksDB's pause of a second after a failure of background work.
class FaultyFileSystem::HastyClock final : public rocksdb::SystemClockWrapper {
 public:
  HastyClock() : rocksdb::SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  [[nodiscard]] const char* Name() const override { return "HastyClock"; }
  void SleepForMicroseconds(int micros) override {
    constexpr int kMost = 1'000;
    rocksdb::SystemClockWrapper::SleepForMicroseconds(std::min(micros, kMost));
  }
};

class FaultyFileSystem::Env final : public rocksdb::EnvWrapper {
 public:
  explicit Env(const std::shared_ptr<rocksdb::FileSystem>& files)
      : rocksdb::EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<HastyClock>();
  }
};

FaultyFileSystem::FaultyFileSystem(std::shared_ptr<rocksdb::FileSystem> files)
    : state_(std::make_shared<State>()),
      env_(std::make_unique<Env>(std::make_shared<Files>(std::move(files), state_))) {}

void FaultyFileSystem::SetHook(Hook hook) {
  absl::MutexLock lock(&state_->mu);
  state_->hook = std::move(hook);
}

void FaultyFileSystem::Fail(Fault fault) {
  SetHook([fault = std::move(fault), seen = 0](FileOperation operation, std::string_view path) mutable {
    if (operation != fault.operation || path.find(fault.file) == std::string_view::npos) return IOStatus::OK();
    const int number = seen++;
    return number >= fault.after && number - fault.after < fault.times ? fault.error : IOStatus::OK();
  });
}

}  // namespace hapax
