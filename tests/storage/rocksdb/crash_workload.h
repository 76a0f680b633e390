#ifndef HAPAX_TESTS_STORAGE_ROCKSDB_CRASH_WORKLOAD_H_
#define HAPAX_TESTS_STORAGE_ROCKSDB_CRASH_WORKLOAD_H_

#include <cstdint>
#include <set>
#include <string>

// What the crash tests run in the process that is to die, and what they expect to find afterwards.
//
// Transaction n puts row n into two tables, and adds one to a counter in a third. Its number goes to the
// standard output, as 8 bytes, once the store has acknowledged it.
namespace hapax {

struct CrashWorkload {
  std::string path;         // The data directory.
  uint64_t first = 0;       // The number of the first transaction.
  uint64_t count = 0;       // Transactions in all.
  int in_flight_count = 1;  // Transactions at a time.
};

// Opens the store and runs the transactions. A failure ends the process.
void Run(const CrashWorkload& workload);

// Opens the store at `path` and reads the numbers of the transactions in it. Expects each of them to be
// there as a whole, and no part of another.
[[nodiscard]] std::set<uint64_t> ReadTransactions(const std::string& path);

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_ROCKSDB_CRASH_WORKLOAD_H_
