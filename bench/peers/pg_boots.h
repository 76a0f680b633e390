// The boots of launched instances, as PostgreSQL's own work queue.
#ifndef HAPAX_BENCH_PEERS_PG_BOOTS_H_
#define HAPAX_BENCH_PEERS_PG_BOOTS_H_

#include <libpq-fe.h>

#include <string>
#include <thread>

#include "absl/synchronization/notification.h"

namespace hapax::bench {

// Takes the work that is due, and notes that its instances run: up to 1024 in one statement, ten times a second. Work
// that another service has taken is left to it.
// Thread-safety: none. It has a thread and a connection of its own.
class PgBoots {
 public:
  PgBoots() = default;
  ~PgBoots();
  PgBoots(const PgBoots&) = delete;
  PgBoots& operator=(const PgBoots&) = delete;

  // Blocks. If there is no database, prints why to stderr and returns false.
  bool Start(const std::string& conninfo);

 private:
  void Run();
  // The number of instances; less than 0 after an error, which it prints.
  int CompleteSome();

  PGconn* connection_ = nullptr;
  absl::Notification stopping_;
  std::thread thread_;
};

}  // namespace hapax::bench

#endif  // HAPAX_BENCH_PEERS_PG_BOOTS_H_
