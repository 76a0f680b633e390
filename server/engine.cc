#include "hapax/server/engine.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/etcd_engine.h"
#include "hapax/server/postgres_engine.h"
#include "hapax/server/rocksdb_engine.h"
#include "hapax/storage/copy.h"

namespace hapax {
namespace {

struct EngineKind {
  std::string_view name;
  absl::Status (*check)(const ServerOptions& options);
  absl::StatusOr<Engine> (*open)(const ServerOptions& options, const EngineParts& parts);
};

constexpr EngineKind kEngines[] = {
    {"rocksdb", CheckRocksDbEngine, OpenRocksDbEngine},
    {"etcd", CheckEtcdEngine, OpenEtcdEngine},
    {"postgres", CheckPostgresEngine, OpenPostgresEngine},
};

const EngineKind* Find(std::string_view name) {
  for (const EngineKind& kind : kEngines) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace

absl::Status CheckEngine(const ServerOptions& options) {
  const EngineKind* const kind = Find(options.store);
  if (kind != nullptr) return kind->check(options);
  const std::string names =
      absl::StrJoin(kEngines, ", ", [](std::string* out, const EngineKind& each) { out->append(each.name); });
  return OptionError("store", options.store, absl::InvalidArgumentError(absl::StrCat("must be one of ", names)));
}

absl::StatusOr<Engine> OpenEngine(const ServerOptions& options, const EngineParts& parts) {
  HAPAX_ASSIGN_OR_RETURN(Engine engine, Find(options.store)->open(options, parts));
  HAPAX_RETURN_IF_ERROR(CheckServes(engine));
  return engine;
}

absl::Status CheckServes(const Engine& engine) {
  const absl::Status status = CheckIsNotCopied(*engine.store);
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(engine.place, ": ", status.message()));
}

}  // namespace hapax
