#include "hapax/storage/postgres/isolation.h"

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "hapax/storage/postgres/array.h"
#include "hapax/storage/postgres/layout.h"
#include "hapax/storage/postgres/locks.h"

namespace hapax {
namespace {

// So many groups take one lock each after the lock table was full. Then one tries again whether there is room.
constexpr int kFrugalGroups = 64;

class AdvisoryLocks final : public PgIsolation {
 public:
  AdvisoryLocks(std::string schema, size_t max_locks) : locks_(std::move(schema), max_locks) {}

  [[nodiscard]] std::vector<PgCall> BeginGroup(const RemoteGroup& group) const override {
    if (IsFrugal()) return Begin({locks_.OfEngine(/*is_exclusive=*/true)});
    return Begin(locks_.OfGroup(group));
  }
  [[nodiscard]] std::vector<PgCall> BeginRaise(const std::string& slot) const override {
    return Begin(locks_.OfSlot(slot));
  }
  [[nodiscard]] bool has_locks() const override { return true; }
  void NoteOutOfMemory() override { frugal_groups_ = kFrugalGroups; }
  [[nodiscard]] std::vector<PgCall> BeginRead() const override { return {}; }

 private:
  [[nodiscard]] bool IsFrugal() const {
    int left = frugal_groups_;
    while (left > 0 && !frugal_groups_.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
  }

  static std::vector<PgCall> Begin(const std::vector<PgLock>& locks) {
    PgArray ids(PgType::kBigint);
    PgArray exclusive(PgType::kBool);
    for (const PgLock& lock : locks) {
      ids.Add(PgBigint(lock.id));
      exclusive.Add(PgBool(lock.is_exclusive));
    }
    return {{.statement = kBeginStatement},
            {.statement = kLockStatement, .parameters = {ids.Encode(), exclusive.Encode()}}};
  }

  const PgLocks locks_;
  mutable std::atomic<int> frugal_groups_ = 0;  // That will take the engine's lock alone.
};

class Serializable final : public PgIsolation {
 public:
  [[nodiscard]] std::vector<PgCall> BeginGroup(const RemoteGroup& /*group*/) const override {
    return {{.statement = kBeginSerializableStatement}};
  }
  [[nodiscard]] std::vector<PgCall> BeginRaise(const std::string& /*slot*/) const override {
    return {{.statement = kBeginSerializableStatement}};
  }
  [[nodiscard]] bool has_locks() const override { return false; }
  [[nodiscard]] std::vector<PgCall> BeginRead() const override {
    return {{.statement = kBeginSerializableReadStatement}};
  }
};

}  // namespace

std::unique_ptr<PgIsolation> MakePgIsolation(const PostgresOptions& options, size_t max_locks) {
  switch (options.isolation) {
    case PgIsolationKind::kSerializable:
      return std::make_unique<Serializable>();
    case PgIsolationKind::kAdvisoryLocks:
      break;
  }
  return std::make_unique<AdvisoryLocks>(options.schema, max_locks);
}

absl::string_view PgIsolationName(PgIsolationKind kind) {
  switch (kind) {
    case PgIsolationKind::kSerializable:
      return "serializable";
    case PgIsolationKind::kAdvisoryLocks:
      break;
  }
  return "advisory_locks";
}

absl::StatusOr<PgIsolationKind> ParsePgIsolation(absl::string_view name) {
  for (const PgIsolationKind kind : {PgIsolationKind::kAdvisoryLocks, PgIsolationKind::kSerializable}) {
    if (name == PgIsolationName(kind)) return kind;
  }
  return absl::InvalidArgumentError("must be advisory_locks or serializable");
}

}  // namespace hapax
