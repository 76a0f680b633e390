#include "hapax/storage/remote/store.h"

#include <utility>

namespace hapax {
namespace {

// A group that writes and two of queries each keep a thread while a body blocks; the rest is for timers, which may wait
// for a group's step.
constexpr int kThreads = 6;

}  // namespace

RemoteStore::RemoteStore(std::unique_ptr<RemoteBackend> backend, const RemoteOptions& options)
    : executor_(kThreads),
      backend_(std::move(backend)),
      engine_(std::make_shared<RemoteEngine>(options, *backend_, executor_)) {
  engine_->Start();
  if (backend_->has_sql()) sql_runner_ = std::make_unique<SqlRunner>(engine_->context());
}

RemoteStore::~RemoteStore() {
  if (sql_runner_ != nullptr) sql_runner_->Close();
  engine_->AwaitTold();
  engine_->Close();
  executor_.Close();  // Its steps use the backend. What the backend still answers is dropped.
}

void RemoteStore::Execute(Body body, Done done, std::string_view party) {
  engine_->Execute(std::move(body), std::move(done), party);
}

void RemoteStore::ExecuteWithSql(Body body, Done done, std::string_view party) {
  if (sql_runner_ == nullptr) return Store::ExecuteWithSql(std::move(body), std::move(done), party);
  sql_runner_->Execute(std::move(body), std::move(done), party);
}

void RemoteStore::Query(ReadBody body, Done done) { engine_->Query(std::move(body), std::move(done)); }

}  // namespace hapax
