#include "hapax/client/hapaxctl/output/inspected_row.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/message.h"
#include "hapax/compute/v1/resources.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/proto/public_name.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/store/v1/compute.pb.h"
#include "hapax/store/v1/copy.pb.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/store/v1/work.pb.h"

namespace hapax::ctl {
namespace {

using google::protobuf::Message;
using hapaxctl::v1::InspectedRow;

constexpr char kSound[] = "sound";
constexpr char kOpaque[] = "opaque";
constexpr char kDamaged[] = "damaged";
constexpr std::string_view kComputeService = "hapax.compute.v1.Compute";

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// The message types of compute's rows, by kind (server/compute/rows.h).
const Message* ComputeMessage(const std::string& kind) {
  static const auto* const messages = new std::map<std::string, const Message*>{
      {"i", &store::v1::InstanceRow::default_instance()}, {"h", &compute::v1::Host::default_instance()},
      {"k", &compute::v1::KeyPair::default_instance()},   {"t", &store::v1::TenantRow::default_instance()},
      {"z", &store::v1::ZoneRow::default_instance()},     {"a", &store::v1::ReturnedAddressRow::default_instance()},
      {"p", &store::v1::PlaceRow::default_instance()},
  };
  const auto found = messages->find(kind);
  return found == messages->end() ? nullptr : found->second;
}

const Message* MetaMessage(const std::string& kind) {
  if (kind == "copy") return &store::v1::CopyRow::default_instance();
  if (kind == "rule") return &store::v1::RuleRow::default_instance();
  if (kind == "token_count") return &store::v1::TokenCountRow::default_instance();
  if (kind == "token_policy") return &store::v1::TokenPolicyRow::default_instance();
  return nullptr;  // Other services' rows only have their checksum.
}

size_t SizeInKey(const std::string& element) { return KeyBuilder().String(element).Build().size(); }

// The elements of the key; an undecodable rest in hexadecimal digits.
std::vector<std::string> ElementsOf(Table table, std::string_view key) {
  std::vector<std::string> elements;
  KeyParser parser(key);
  if (table == Table::kWork) {
    for (int i = 0; i < 2 && !parser.AtEnd(); ++i) {
      const absl::StatusOr<uint64_t> number = parser.Uint64();
      elements.push_back(number.ok() ? absl::StrCat(*number) : absl::BytesToHexString(ToAbsl(key)));
      if (!number.ok()) return elements;
    }
    return elements;
  }
  size_t taken = 0;
  while (!parser.AtEnd()) {
    const absl::StatusOr<std::string> element = parser.String();
    if (!element.ok()) {
      elements.push_back(absl::BytesToHexString(ToAbsl(key.substr(taken))));
      break;
    }
    taken += SizeInKey(*element);
    elements.push_back(absl::Utf8SafeCHexEscape(*element));
  }
  return elements;
}

// The type of the row's message; null if only its checksum is known.
const Message* MessageOf(Table table, const std::vector<std::string>& elements) {
  const auto element = [&](size_t at) { return at < elements.size() ? elements[at] : ""; };
  switch (table) {
    case Table::kMeta:
      return MetaMessage(element(0));
    case Table::kTokens:
      return &store::v1::TokenRecord::default_instance();
    case Table::kResources:
      return element(0) == kComputeService ? ComputeMessage(element(1)) : nullptr;
    case Table::kWork:
      return &store::v1::WorkRecord::default_instance();
    case Table::kOperations:
      return &external::longrunning::Operation::default_instance();
  }
  return nullptr;
}

void LeaveSecretsOut(Message& message) {
  auto* const record = dynamic_cast<store::v1::TokenRecord*>(&message);
  if (record == nullptr) return;
  record->clear_reply();
  if (record->has_sealed_reply()) {
    record->mutable_sealed_reply()->clear_nonce();
    record->mutable_sealed_reply()->clear_ciphertext();
  }
  if (record->has_fingerprint()) {
    record->mutable_fingerprint()->clear_exact();
    record->mutable_fingerprint()->clear_fields();
  }
}

// The part of the key that the row's checksum covers (storage/format.h).
std::string_view CheckedKey(Table table, std::string_view key) {
  if (table != Table::kResources) return key;
  const absl::StatusOr<std::string> service = KeyParser(key).String();
  return service.ok() ? key.substr(SizeInKey(*service)) : key;
}

// Two rows of table meta are not messages.
bool IsPlain(Table table, std::string_view key) {
  return table == Table::kMeta && (key == kFormatVersionKey || key == kLogIdKey);
}

}  // namespace

InspectedRow InspectRow(Table table, std::string_view key, std::string_view value) {
  InspectedRow row;
  row.set_table(table == Table::kMeta ? "meta" : std::string(TableName(table)));
  row.set_key(absl::BytesToHexString(ToAbsl(key)));
  row.set_value_bytes(static_cast<int64_t>(value.size()));
  row.set_condition(kSound);
  if (IsPlain(table, key)) {
    row.add_elements(std::string(key));
    return row;
  }
  const std::vector<std::string> elements = ElementsOf(table, key);
  for (const std::string& element : elements) row.add_elements(element);
  const Message* const known = MessageOf(table, elements);
  const bool is_services_own = table == Table::kResources && known == nullptr;
  if (is_services_own && !IsRowValue(value)) {
    row.set_condition(kOpaque);
    return row;
  }
  const Message& prototype = known == nullptr ? google::protobuf::Empty::default_instance() : *known;
  const std::unique_ptr<Message> message(prototype.New());
  if (const absl::Status sound = DecodeRow(CheckedKey(table, key), value, message.get()); !sound.ok()) {
    row.set_condition(kDamaged);
    row.set_damage(std::string(sound.message()));
    return row;
  }
  if (known == nullptr) return row;
  LeaveSecretsOut(*message);
  Pack(*message, *row.mutable_value());
  return row;
}

std::string MeaningOfDropping(const InspectedRow& row) {
  if (row.table() == "tokens") {
    return "whatever this token executed stays; a call with this token executes AGAIN, as if it had never been used";
  }
  if (row.table() == "work") return "its work is never done: what it was for stays as it is";
  if (row.table() == "operations") {
    return "the operation is not found any more, nor by a retry of the call that began it";
  }
  if (row.table() == "services") {
    return "its service does not know it any more; what other rows say of it, counts for one, stays as it is";
  }
  return "the server forgets what it remembered by it, and a check that rests on it is not made";
}

}  // namespace hapax::ctl
