#include "hapax/client/hapaxctl/flags/input_json.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/client/hapaxctl/flags/argument.h"
#include "hapax/client/hapaxctl/flags/command_line.h"
#include "hapax/client/hapaxctl/output/json_value.h"

namespace hapax::ctl {
namespace {

constexpr char kCount[] = "--count";
constexpr char kMinCount[] = "MinCount";
constexpr char kMaxCount[] = "MaxCount";
constexpr char kDryRun[] = "DryRun";
// Flags of hapaxctl that are not members of an API call.
constexpr std::string_view kOwnFlags[] = {kInputFlag,    "--help",           "--max-items",
                                          "--page-size", "--starting-token", "--wait"};

// `ImageId` becomes `--image-id`.
std::string FlagOf(const std::string& member) {
  std::string flag = "-";
  for (const char c : member) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) flag.push_back('-');
    flag.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
  }
  return flag;
}

std::string MemberOf(const std::string& flag) {
  std::string member;
  bool begins = false;
  for (const char c : flag) {
    if (c == '-') {
      begins = true;
      continue;
    }
    member.push_back(begins ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c);
    begins = false;
  }
  return member;
}

bool IsOwn(const std::string& flag) {
  return std::find(std::begin(kOwnFlags), std::end(kOwnFlags), flag) != std::end(kOwnFlags);
}

// The flags of the verb that are members of its call.
std::vector<std::string> FlagsOf(CLI::App& verb) {
  std::vector<std::string> flags;
  for (CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string flag = absl::StrCat("--", name);
      if (!IsOwn(flag)) flags.push_back(flag);
    }
  }
  return flags;
}

absl::Status UnknownMember(const std::string& name, const std::vector<std::string>& flags) {
  std::vector<std::string> members;
  for (const std::string& flag : flags) {
    if (flag == kCount) {
      members.insert(members.end(), {kMinCount, kMaxCount});
    } else {
      members.push_back(MemberOf(flag));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is none of ", absl::StrJoin(members, ", ")));
}

absl::StatusOr<std::string> WordOf(const std::string& name, const JsonValue& value) {
  if (value.text() != nullptr) return MarkText(*value.text());
  if (value.number() != nullptr) return value.number()->text;
  if (value.array() != nullptr || value.object() != nullptr) return MarkJson(JsonText(value));
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" cannot be ", JsonText(value)));
}

// Combines the two members to `MIN:MAX`; one may be missing.
absl::StatusOr<std::string> CountOf(const JsonValue& input) {
  std::vector<std::string> counts;
  for (const char* name : {kMinCount, kMaxCount}) {
    const JsonValue* const count = input.Find(name);
    if (count == nullptr) continue;
    if (count->number() == nullptr) return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" must be a number"));
    counts.push_back(count->number()->text);
  }
  return absl::StrJoin(counts, ":");
}

absl::Status AddMember(const std::string& flag, const absl::StatusOr<std::string>& word, CommandLine& line) {
  if (!word.ok()) return word.status();
  if (!IsGiven(line, flag)) line.parsed.insert(line.parsed.end(), {flag, *word});
  return absl::OkStatus();
}

}  // namespace

absl::Status AddInput(const std::string& input, CLI::App& verb, CommandLine& line) {
  const absl::StatusOr<std::string> text = ReadText(input);
  if (!text.ok()) return text.status();
  const absl::StatusOr<JsonValue> parsed = ParseJson(*text);
  if (!parsed.ok()) return parsed.status();
  if (parsed->object() == nullptr) return absl::InvalidArgumentError("must be a JSON object");
  const std::vector<std::string> flags = FlagsOf(verb);
  const auto has = [&](const std::string& flag) { return std::find(flags.begin(), flags.end(), flag) != flags.end(); };
  bool counted = false;
  for (const auto& [name, value] : *parsed->object()) {
    if (name == kDryRun && value == JsonValue(false)) continue;
    if (name == kDryRun) return absl::InvalidArgumentError("\"DryRun\": the API has none; nothing was sent");
    if ((name == kMinCount || name == kMaxCount) && has(kCount)) {
      absl::Status status = counted ? absl::OkStatus() : AddMember(kCount, CountOf(*parsed), line);
      counted = true;
      if (!status.ok()) return status;
      continue;
    }
    const std::string flag = FlagOf(name);
    if (!has(flag) || flag == kCount || MemberOf(flag) != name) return UnknownMember(name, flags);
    if (absl::Status status = AddMember(flag, WordOf(name, value), line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hapax::ctl
