#include <cctype>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/inspected_row.h"
#include "hapax/client/hapaxctl/output/report.h"
#include "hapax/hapaxctl/v1/output.pb.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/inspection.h"

namespace hapax::ctl {
namespace {

using InspectionResult = hapaxctl::v1::Inspection;
using hapaxctl::v1::InspectedRow;

constexpr int kDefaultMaxRows = 100;
constexpr int kMaxMaxRows = 100'000;
constexpr Table kTables[] = {Table::kTokens, Table::kWork, Table::kOperations, Table::kResources, Table::kMeta};

struct InspectFlags {
  std::string data_dir;
  std::optional<Table> table;
  std::string key;   // Bytes; empty: all.
  std::string drop;  // Bytes; empty: none.
  bool only_damaged = false;
  int max_rows = kDefaultMaxRows;
};

std::string NameOf(Table table) { return table == Table::kMeta ? "meta" : std::string(TableName(table)); }

absl::Status ReadHex(const std::string& text, std::string& bytes) {
  bool is_hex = !text.empty() && text.size() % 2 == 0;
  for (const char digit : text) is_hex = is_hex && std::isxdigit(static_cast<unsigned char>(digit)) != 0;
  if (!is_hex) return absl::InvalidArgumentError("must be a row's key in hexadecimal digits, as the list has it");
  bytes = absl::HexStringToBytes(text);
  return absl::OkStatus();
}

// Checks all rows of a table, and lists as many as there is room for. Damaged rows have precedence over sound ones.
void LookThrough(const Inspection& inspection, Table table, const InspectFlags& flags, InspectionResult& damaged,
                 InspectionResult& sound) {
  const absl::Status status =
      inspection.Scan(table, KeyRange::Prefix(flags.key), [&](std::string_view key, std::string_view value) {
        InspectedRow row = InspectRow(table, key, value);
        damaged.set_row_count(damaged.row_count() + 1);
        const bool is_damaged = row.condition() == "damaged";
        if (is_damaged) damaged.set_damaged_row_count(damaged.damaged_row_count() + 1);
        if (!is_damaged && flags.only_damaged) return true;
        InspectionResult& list = is_damaged ? damaged : sound;
        if (list.rows_size() < flags.max_rows) *list.add_rows() = std::move(row);
        return true;
      });
  if (!status.ok()) damaged.add_unreadable(absl::StrCat(NameOf(table), ": ", status.message()));
}

ExitCode List(Session& session, const Inspection& inspection, const InspectFlags& flags) {
  InspectionResult result;
  InspectionResult sound;
  for (const Table table : kTables) {
    if (!flags.table.has_value() || *flags.table == table) LookThrough(inspection, table, flags, result, sound);
  }
  for (InspectedRow& row : *sound.mutable_rows()) {
    if (result.rows_size() == flags.max_rows) break;
    result.add_rows()->Swap(&row);
  }
  if (const ExitCode printed = session.Print(result); printed != ExitCode::kDone) return printed;
  if (result.damaged_row_count() == 0 && result.unreadable().empty()) return ExitCode::kDone;
  return session.Fail(absl::DataLossError(absl::StrCat(result.damaged_row_count(), " of ", result.row_count(),
                                                       " rows are damaged, and ", result.unreadable_size(),
                                                       " tables cannot be read to their end")));
}

ExitCode Drop(Session& session, Inspection& inspection, const InspectFlags& flags) {
  const Table table = *flags.table;
  if (table == Table::kMeta && (flags.drop == kFormatVersionKey || flags.drop == kLogIdKey)) {
    return session.Fail(absl::InvalidArgumentError("--drop: without this row the directory cannot be opened"));
  }
  const absl::StatusOr<std::optional<std::string>> value = inspection.Get(table, flags.drop);
  if (value.ok() && !value->has_value()) {
    return session.Fail(absl::NotFoundError(absl::StrCat("--drop: table ", NameOf(table), " has no such row")));
  }
  // An unreadable block must not prevent dropping a row in it.
  InspectionResult result;
  InspectedRow& row = *result.add_rows();
  row = InspectRow(table, flags.drop, value.ok() ? **value : "");
  if (!value.ok()) row.set_damage(std::string(value.status().message()));
  if (const absl::Status dropped = inspection.Drop(table, flags.drop); !dropped.ok()) return session.Fail(dropped);
  Say(absl::StrCat(session.verb(), ": dropped the row ", row.key(), " of table ", row.table(), ": ",
                   MeaningOfDropping(row)));
  return session.Print(result);
}

ExitCode Inspect(Session& session, const InspectFlags& flags) {
  if (!flags.drop.empty() && !flags.table.has_value()) {
    return session.Fail(absl::InvalidArgumentError("--drop needs --table: which table the row is to be dropped from"));
  }
  const absl::StatusOr<std::unique_ptr<Inspection>> inspection = Inspection::Open(flags.data_dir);
  if (!inspection.ok()) return session.Fail(inspection.status());
  return flags.drop.empty() ? List(session, **inspection, flags) : Drop(session, **inspection, flags);
}

}  // namespace

Action BindAdminInspect(CLI::App& verb) {
  const auto flags = std::make_shared<InspectFlags>();
  AddText(verb, "--data-dir", flags->data_dir, "The data directory, which no server may have open")->required();
  std::vector<std::string> names;
  for (const Table table : kTables) names.push_back(NameOf(table));
  AddChoice(
      verb, "--table", names,
      [flags](const std::string& name) {
        for (const Table table : kTables) {
          if (NameOf(table) == name) flags->table = table;
        }
      },
      "Only this one; services has what the services keep");
  AddValue(
      verb, "--key", "HEX", [flags](const std::string& text) { return ReadHex(text, flags->key); },
      "Only rows whose key begins so");
  verb.add_flag("--damaged", flags->only_damaged, "Only damaged rows");
  AddNumber(
      verb, "--max-rows", 1, kMaxMaxRows, [flags](int32_t count) { flags->max_rows = count; },
      "Rows to list at the most; all are checked and counted")
      ->default_str(absl::StrCat(kDefaultMaxRows));
  AddValue(
      verb, "--drop", "HEX", [flags](const std::string& text) { return ReadHex(text, flags->drop); },
      "Drop the one row of --table that has this key, for good; a token that is dropped can execute again");
  return [flags](Session& session) { return Inspect(session, *flags); };
}

}  // namespace hapax::ctl
