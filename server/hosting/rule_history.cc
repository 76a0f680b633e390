#include "hapax/server/hosting/rule_history.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/base/option_error.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/blocking.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"

namespace hapax {
namespace {

using store::v1::RuleRow;
using Fields = google::protobuf::RepeatedPtrField<RuleRow::Field>;

std::string KeyOf(const Method& method) { return KeyBuilder().String("rule").String(method.name).Build(); }

RuleRow::Field FieldOf(const StringFieldPath& path) {
  RuleRow::Field field;
  field.set_path(path.name());
  for (const int number : path.Numbers()) field.add_numbers(number);
  return field;
}

RuleRow RowOf(const Rule& rule, const std::string& default_region) {
  RuleRow row;
  *row.mutable_token_field() = FieldOf(rule.token_field());
  *row.mutable_region_field() = FieldOf(rule.region_field());
  for (const StringFieldPath& field : rule.zone_fields()) *row.add_zone_fields() = FieldOf(field);
  row.set_zone_required(rule.zone_required());
  row.set_resolver(rule.resolver_name());
  row.set_default_region(default_region);
  row.set_replays_current_operation(rule.replays_current_operation());
  return row;
}

// The row to write for the method; nullopt for a method that never had a rule.
std::optional<RuleRow> NextRow(const Method& method, const std::string& default_region,
                               const std::optional<RuleRow>& last) {
  if (method.rule.has_value()) return RowOf(*method.rule, default_region);
  std::optional<RuleRow> next = last;
  if (next.has_value()) next->set_without_rule(true);
  return next;
}

// In proto notation: `client_token = 1`; with the numbers of all steps of a path, `placement.zone = 9.1`.
std::string Describe(const RuleRow::Field& field) {
  return absl::StrCat(field.path(), " = ", absl::StrJoin(field.numbers(), "."));
}

std::string Describe(const Fields& fields) {
  if (fields.empty()) return "none";
  return absl::StrJoin(fields, ", ", [](std::string* out, const auto& field) { *out += Describe(field); });
}

std::string Describe(const std::string& name) { return name.empty() ? "none" : name; }
std::string Describe(bool is_so) { return is_so ? "true" : "false"; }

bool AreSame(const RuleRow::Field& a, const RuleRow::Field& b) {
  return std::equal(a.numbers().begin(), a.numbers().end(), b.numbers().begin(), b.numbers().end());
}
bool AreSame(const Fields& a, const Fields& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& one, const auto& other) { return AreSame(one, other); });
}
template <typename T>
bool AreSame(const T& a, const T& b) {
  return a == b;
}

// The changes that lead to another token; empty when there are none.
std::string ChangeOf(const RuleRow& last, const RuleRow& next) {
  if (next.without_rule()) return last.without_rule() ? "" : "had an idempotency rule, has none";
  std::vector<std::string> changes;
  const auto compare = [&](absl::string_view what, const auto& was, const auto& is) {
    if (AreSame(was, is)) return;
    changes.push_back(absl::StrCat(what, " was ", Describe(was), ", is ", Describe(is)));
  };
  compare("token_field", last.token_field(), next.token_field());
  compare("scope.region_field", last.region_field(), next.region_field());
  compare("scope.zone_fields", last.zone_fields(), next.zone_fields());
  compare("scope.zone_required", last.zone_required(), next.zone_required());
  compare("scope.resolver", last.resolver(), next.resolver());
  compare("default region", last.default_region(), next.default_region());
  return absl::StrJoin(changes, ", ");
}

// Writes the methods' rows. Returns the changes, by method name.
absl::StatusOr<std::map<std::string, std::string>> PutRules(const std::vector<const HostedService*>& services,
                                                            const std::string& default_region, Transaction& txn) {
  std::map<std::string, std::string> changes;
  for (const HostedService* service : services) {
    for (const Method& method : service->methods()) {
      HAPAX_ASSIGN_OR_RETURN(const auto last, GetRow<RuleRow>(txn, Table::kMeta, KeyOf(method)));
      const std::optional<RuleRow> next = NextRow(method, default_region, last);
      if (!next.has_value()) continue;
      PutRow(txn, Table::kMeta, KeyOf(method), *next);
      if (!last.has_value()) continue;
      if (std::string change = ChangeOf(*last, *next); !change.empty()) changes.emplace(method.name, std::move(change));
    }
  }
  return changes;
}

absl::Status Refuse(const std::map<std::string, std::string>& changes, const std::vector<std::string>& accepted) {
  const auto name = [](std::string* out, const auto& change) { *out += change.first; };
  return OptionError(
      "accept_rule_changes", absl::StrJoin(accepted, ","),
      absl::FailedPreconditionError(absl::StrCat(
          "does not name every method whose tokens would be looked for elsewhere than before, so that a retry of an "
          "earlier call is executed again: ",
          absl::StrJoin(changes, "; ", absl::PairFormatter(": ")),
          ". Undo what has changed, or, once no earlier call is retried any more, name ",
          absl::StrJoin(changes, ",", name), " (docs/changing-rules.md)")));
}

}  // namespace

absl::StatusOr<RuleChanges> RememberRules(const std::vector<const HostedService*>& services,
                                          const std::string& default_region, const std::vector<std::string>& accepted,
                                          Store& store, const MayChangeRules& may_change) {
  std::map<std::string, std::string> changes;
  const auto is_accepted = [&](const auto& change) {
    return std::find(accepted.begin(), accepted.end(), change.first) != accepted.end();
  };
  const absl::Status status = ExecuteAndWait(store, [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(changes, PutRules(services, default_region, txn));
    if (!std::all_of(changes.begin(), changes.end(), is_accepted)) return Refuse(changes, accepted);
    return changes.empty() || may_change == nullptr ? absl::OkStatus() : may_change(txn);
  });
  HAPAX_RETURN_IF_ERROR(status);

  RuleChanges told;
  for (const auto& [method, change] : changes) told.accepted.push_back(absl::StrCat(method, ": ", change));
  std::copy_if(accepted.begin(), accepted.end(), std::back_inserter(told.unchanged),
               [&](const std::string& name) { return changes.find(name) == changes.end(); });
  return told;
}

}  // namespace hapax
