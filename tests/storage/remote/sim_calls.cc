#include "hapax/tests/storage/remote/sim_calls.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"

namespace hapax {
namespace {

constexpr char kEffects[] = "effect/";
constexpr char kCount[] = "count";

int NumberIn(const std::string& text) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

SimCalls::SimCalls(SimWorld& world, const std::vector<SimCall>& calls) : world_(world) {
  for (const SimCall& call : calls) {
    auto state = std::make_shared<State>();
    state->call = call;
    state->name = absl::StrCat("call ", calls_.size());
    calls_.push_back(std::move(state));
  }
  // A client of a server that crashed gets no reply. With a token it tries again.
  world_.OnCrash([this](int server) {
    for (const auto& state : calls_) {
      if (state->call.server != server || !state->is_open) continue;
      if (state->call.token.empty()) {
        state->is_open = false;
        state->told = State::Told::kLost;
      } else {
        Begin(state);
      }
    }
  });
  for (const auto& state : calls_) {
    if (state->call.after < 0) Begin(state);
  }
}

void SimCalls::Begin(const std::shared_ptr<State>& state) {
  state->is_open = true;
  state->was_recorded |= !Row(Table::kTokens, state->call.token).empty();
  auto done = [this, state](const absl::Status& status) {
    if (state->told != State::Told::kNothing) violation_ = "done was called twice";
    state->is_open = false;
    state->found_effect = EffectCount() > 0;
    state->told = absl::IsUnavailable(status) ? State::Told::kUnavailable : state->outcome;
    for (const auto& next : calls_) {
      if (next->call.after >= 0 && calls_[next->call.after] == state) Begin(next);
    }
  };
  RemoteEngine& engine = world_.engine(state->call.server);
  if (state->call.kind != SimCall::Kind::kLook) {
    engine.Execute([state](Transaction& txn) { return RunBody(*state, txn); }, std::move(done), "");
    return;
  }
  engine.Query(
      [state](const ReadTransaction& txn) -> absl::Status {
        HAPAX_ASSIGN_OR_RETURN(const auto record, txn.Get(Table::kTokens, state->call.token));
        state->outcome = record.has_value() ? State::Told::kFound : State::Told::kFree;
        state->result = record.value_or("");
        return absl::OkStatus();
      },
      std::move(done));
}

absl::Status SimCalls::RunBody(State& state, Transaction& txn) {
  const SimCall& call = state.call;
  const std::string run = absl::StrCat(state.name, " run ", ++state.runs);
  if (call.kind == SimCall::Kind::kExecute) {
    HAPAX_ASSIGN_OR_RETURN(const auto record, txn.Get(Table::kTokens, call.token));
    if (record.has_value()) {
      state.outcome = State::Told::kReplayed;
      state.result = *record;
      return absl::OkStatus();
    }
  }
  HAPAX_ASSIGN_OR_RETURN(const auto count, txn.Get(Table::kResources, kCount));
  const int effects = NumberIn(count.value_or("0"));
  bool found = false;
  if (call.kind == SimCall::Kind::kLimited) {
    HAPAX_RETURN_IF_ERROR(txn.Scan(Table::kResources, KeyRange::Prefix(kEffects),
                                   [&](std::string_view, std::string_view) { return !(found = true); }));
  }
  if (effects >= call.quota || found) {
    state.outcome = State::Told::kRefused;
    return absl::ResourceExhaustedError("quota");
  }
  // The phantom of a limited call must be found without the counter.
  if (call.kind != SimCall::Kind::kLimited) txn.Put(Table::kResources, kCount, absl::StrCat(effects + 1));
  txn.Put(Table::kResources, kEffects + run, call.token.empty() ? state.name : call.token);
  if (call.kind == SimCall::Kind::kExecute) txn.Put(Table::kTokens, call.token, run);
  state.outcome = State::Told::kExecuted;
  state.result = run;
  return absl::OkStatus();
}

std::string SimCalls::Violation() {
  if (violation_.empty()) violation_ = Check();
  return violation_;
}

// Invariants 1 to 4 of the protocol.
std::string SimCalls::Check() {
  if (!world_.cluster().violation().empty()) return world_.cluster().violation();
  int limited = 0;
  for (const auto& state : calls_) {
    const SimCall& call = state->call;
    const std::vector<std::string> effects = EffectsOf(call.token.empty() ? state->name : call.token);
    if (call.kind == SimCall::Kind::kLimited) limited += static_cast<int>(effects.size());
    if (effects.size() > 1) return call.token.empty() ? "one call has two effects" : "a token has two effects";
    if (!call.token.empty() && (effects.empty() ? "" : effects[0]) != Row(Table::kTokens, call.token)) {
      return "a record without its effect, or an effect without its record";
    }
    if (std::string wrong = CheckTold(*state); !wrong.empty()) return absl::StrCat(state->name, " ", wrong);
  }
  if (limited > 1) return "two calls that may have one effect have two";
  const int counted = NumberIn(Row(Table::kResources, kCount));
  if (counted + limited != EffectCount()) return "the counter is not the number of effects";
  return "";
}

std::string SimCalls::CheckTold(const State& state) const {
  const std::vector<std::string> effects = EffectsOf(state.call.token.empty() ? state.name : state.call.token);
  switch (state.told) {
    case State::Told::kExecuted:
    case State::Told::kReplayed:
      if (effects.empty() || effects[0] != state.result) return "was told of an effect that is not in the store";
      return "";
    case State::Told::kRefused:
      if (!state.found_effect) return "was told of a quota that nothing had used";
      if (state.call.token.empty() && !effects.empty()) return "was refused and has an effect";
      return "";
    case State::Told::kFree:
      return state.was_recorded ? "was told that a token is free that was recorded before" : "";
    case State::Told::kFound:
      return Row(Table::kTokens, state.call.token) != state.result ? "was told of a record that is not there" : "";
    case State::Told::kUnavailable:
    case State::Told::kLost:
    case State::Told::kNothing:
      return "";
  }
  return "";
}

std::string SimCalls::ViolationAtEnd() {
  if (std::string wrong = Violation(); !wrong.empty()) return wrong;
  for (const auto& state : calls_) {
    const bool never_began = state->call.after >= 0 && calls_[state->call.after]->told == State::Told::kLost;
    if (state->told == State::Told::kNothing && !never_began) return absl::StrCat(state->name, " was never told");
    if (state->told == State::Told::kUnavailable) return absl::StrCat(state->name, " was told UNAVAILABLE for nothing");
    if (const absl::Status status = world_.engine(state->call.server).status(); !status.ok()) {
      return absl::StrCat("a server stopped: ", status.ToString());
    }
  }
  world_.DeliverLate();
  return Violation();
}

std::string SimCalls::Row(Table table, const std::string& key) const {
  const auto row = world_.cluster().rows().find({.table = table, .key = key});
  return row == world_.cluster().rows().end() ? "" : *row->second.value;
}

std::vector<std::string> SimCalls::EffectsOf(const std::string& owner) const {
  std::vector<std::string> runs;
  for (const auto& [key, row] : world_.cluster().rows()) {
    if (key.kind == RemoteKey::Kind::kRow && key.key.starts_with(kEffects) && *row.value == owner) {
      runs.push_back(key.key.substr(sizeof(kEffects) - 1));
    }
  }
  return runs;
}

int SimCalls::EffectCount() const {
  int count = 0;
  for (const auto& [key, row] : world_.cluster().rows()) {
    if (key.kind == RemoteKey::Kind::kRow && key.key.starts_with(kEffects)) ++count;
  }
  return count;
}

}  // namespace hapax
