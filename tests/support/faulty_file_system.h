#ifndef HAPAX_TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_
#define HAPAX_TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace hapax {

// What RocksDB does with files.
enum class FileOperation {
  kCreate,    // A file for writing.
  kWrite,     // Appends to a file.
  kTruncate,  // A file open for writing.
  kSync,      // A file, or a directory by its own path.
  kRead,
  kRename,  // The path is the new one.
  kDelete,
};

// Which operations fail, and how.
struct Fault {
  FileOperation operation = FileOperation::kWrite;
  std::string file;  // A part of the paths of the files that fail.
  int after = 0;     // The number of operations that succeed before the first failure.
  int times = std::numeric_limits<int>::max();
  rocksdb::IOStatus error = rocksdb::IOStatus::IOError("injected");
};

// A file system with a hook before each of RocksDB's operations. It wraps the machine's file system, or another one.
//
//   FaultyFileSystem files;
//   auto engine = RocksDbEngine::Open({.path = path, .env = files.env()});
//   files.Fail({.operation = FileOperation::kSync, .file = ".log"});  // Written, but not synced.
//   ...
//   files.Work();
//
// It also shortens RocksDB's pauses.
//
// Thread-safety: safe.
// Lifetime: outlives what is open in it.
class FaultyFileSystem {
 public:
  // Called before each operation, on its thread, one at a time. OK lets the operation go on; an error becomes its
  // result.
  using Hook = std::function<rocksdb::IOStatus(FileOperation operation, std::string_view path)>;

  explicit FaultyFileSystem(std::shared_ptr<rocksdb::FileSystem> files = rocksdb::FileSystem::Default());
  FaultyFileSystem(const FaultyFileSystem&) = delete;
  FaultyFileSystem& operator=(const FaultyFileSystem&) = delete;

  [[nodiscard]] rocksdb::Env* env() const { return env_.get(); }

  void SetHook(Hook hook);
  // Makes these operations fail from now on, in place of those that failed before.
  void Fail(Fault fault);
  // Lets all operations succeed.
  void Work() { SetHook(nullptr); }

 private:
  struct State {
    rocksdb::IOStatus Ask(FileOperation operation, std::string_view path);

    absl::Mutex mu;
    Hook hook ABSL_GUARDED_BY(mu);
  };
  class Files;
  class WritableFile;
  class RandomAccessFile;
  class SequentialFile;
  class Directory;
  class HastyClock;
  class Env;

  const std::shared_ptr<State> state_;
  const std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_FAULTY_FILE_SYSTEM_H_
