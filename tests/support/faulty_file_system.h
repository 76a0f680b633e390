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

// What RocksDB does with its files.
enum class FileOperation {
  kCreate,    // A file that is to be written.
  kWrite,     // Appends to one.
  kTruncate,  // One that is being written.
  kSync,      // A file's, or a directory's, whose path it then is.
  kRead,
  kRename,  // The path is the new one.
  kDelete,
};

// Which operations fail, and how.
struct Fault {
  FileOperation operation = FileOperation::kWrite;
  std::string file;  // A part of the path of the files that it concerns.
  int after = 0;     // So many of these operations go on before the first that fails.
  int times = std::numeric_limits<int>::max();
  rocksdb::IOStatus error = rocksdb::IOStatus::IOError("injected");
};

// A file system, the machine's or another, with a hook before what RocksDB does with it.
//
//   FaultyFileSystem files;
//   auto engine = RocksDbEngine::Open({.path = path, .env = files.env()});
//   files.Fail({.operation = FileOperation::kSync, .file = ".log"});  // Written, but not synced.
//   ...
//   files.Work();
//
// RocksDB's pauses are short, too.
//
// Thread-safety: safe.
// Lifetime: outlives what is open in it.
class FaultyFileSystem {
 public:
  // Asked before each operation, on the thread that does it, one at a time: OK lets it go on, an error is
  // what becomes of it.
  using Hook = std::function<rocksdb::IOStatus(FileOperation operation, std::string_view path)>;

  explicit FaultyFileSystem(std::shared_ptr<rocksdb::FileSystem> files = rocksdb::FileSystem::Default());
  FaultyFileSystem(const FaultyFileSystem&) = delete;
  FaultyFileSystem& operator=(const FaultyFileSystem&) = delete;

  [[nodiscard]] rocksdb::Env* env() const { return env_.get(); }

  void SetHook(Hook hook);
  // From now on, this fails; what failed before works.
  void Fail(Fault fault);
  // Everything works.
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
