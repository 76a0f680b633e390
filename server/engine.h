#ifndef HAPAX_SERVER_ENGINE_H_
#define HAPAX_SERVER_ENGINE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/server.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/store.h"
#include "spdlog/logger.h"

// The engines that a server can have. Each has a pair of files, such as etcd_engine.h, and a line in engine.cc. The
// rest of the server knows only what is here.
namespace hapax {

// An opened engine.
struct Engine {
  std::unique_ptr<Store> store;
  // Whether other servers may use the same rows at the same time.
  bool is_shared = false;
  // Whether it applies EngineParts::expiry itself. Otherwise the server sweeps (hosting/expiry_keeper.h).
  bool expires_rows = true;
  // Returns OK, or why the store has stopped for ever and what the operator does about it. Null: it never does.
  // Thread-safety: safe. Lifetime: that of the store.
  std::function<absl::Status()> status;
  // Return OK, or why the database cannot be used, or read, at the moment, in its words. Null: it always can.
  // Thread-safety: safe. Lifetime: that of the store.
  std::function<absl::Status()> health;
  std::function<absl::Status()> read_health;
  // Where the rows are, for logs.
  std::string place;
  // Why it makes no backups, for operators; empty: it makes them.
  std::string no_backups;
};

// What an engine uses of the server; outlives it.
struct EngineParts {
  std::shared_ptr<spdlog::logger> log;
  const ExpiryRule& expiry;
};

// Checks options `store`, `server_id` and those of the engine, without opening anything.
// Errors: INVALID_ARGUMENT, an OptionError that says what is allowed.
[[nodiscard]] absl::Status CheckEngine(const ServerOptions& options);

// Opens the engine of `options.store`. Requires: CheckEngine is OK. Errors: OptionErrors, with codes of the engine;
// those of CheckServes.
[[nodiscard]] absl::StatusOr<Engine> OpenEngine(const ServerOptions& options, const EngineParts& parts);

// Errors: FAILED_PRECONDITION, the rows are being copied, or were moved elsewhere (storage/copy.h). Those of the store.
[[nodiscard]] absl::Status CheckServes(const Engine& engine);

}  // namespace hapax

#endif  // HAPAX_SERVER_ENGINE_H_
