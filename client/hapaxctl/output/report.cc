#include "hapax/client/hapaxctl/output/report.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "hapax/client/call/error.h"

namespace hapax::ctl {
namespace {

constexpr char kApiKey[] = "--api-key";

std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("-_./:=,@+%", absl::string_view(reinterpret_cast<char*>(&c), 1));
  });
  return plain ? word : absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

bool IsTokenFlag(const std::string& word) {
  for (const char* flag : {"--client-token", "--x-client-token"}) {
    if (word == flag || absl::StartsWith(word, absl::StrCat(flag, "="))) return true;
  }
  return false;
}

}  // namespace

void Say(const std::string& line) {
  std::string harmless = line;
  std::replace_if(
      harmless.begin(), harmless.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, ' ');
  std::fprintf(stderr, "hapaxctl: %s\n", harmless.c_str());
}

std::string OutcomeLine(const std::string& subject, const client::CallInfo& info) {
  std::string line = absl::StrCat(subject, ": ", client::OutcomeName(info.outcome));
  if (info.outcome == client::Outcome::kUnknown) absl::StrAppend(&line, "done");
  if (!info.token.empty()) absl::StrAppend(&line, "; client token ", info.token);
  if (info.attempts > 1) absl::StrAppend(&line, "; ", info.attempts, " attempts");
  return line;
}

std::vector<std::string> ErrorLines(const std::string& subject, const absl::Status& status) {
  const std::string reason = client::ReasonOf(status);
  const std::string name = reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
  std::vector<std::string> lines = {absl::StrCat(subject, ": ", name, ": ", status.message())};
  for (const client::FieldViolation& violation : client::FieldViolationsOf(status)) {
    if (absl::StrContains(status.message(), violation.field) &&
        absl::StrContains(status.message(), violation.description)) {
      continue;
    }
    lines.push_back(absl::StrCat("  ", violation.field, ": ", violation.description));
  }
  return lines;
}

std::string RerunLine(const std::vector<std::string>& command_line, const std::string& token) {
  std::vector<std::string> words;
  bool key_is_next = false;
  for (const std::string& word : command_line) {
    const bool key_is_here = absl::StartsWith(word, absl::StrCat(kApiKey, "="));
    if (key_is_here) words.push_back(kApiKey);
    words.push_back(key_is_next || key_is_here ? "\"$HAPAX_API_KEY\"" : Quoted(word));
    key_is_next = word == kApiKey;
  }
  const bool has_token = std::any_of(command_line.begin(), command_line.end(), IsTokenFlag);
  if (!has_token && !token.empty()) absl::StrAppend(&words.emplace_back("--client-token "), Quoted(token));
  return absl::StrJoin(words, " ");
}

}  // namespace hapax::ctl
