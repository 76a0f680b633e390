#include "hapax/client/hapaxctl/flags/command_line.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/client/hapaxctl/flags/input_json.h"

namespace hapax::ctl {
namespace {

struct MissingFlag {
  const char* name;
  const char* instead;
};
// Flags of the AWS CLI that hapaxctl lacks but users may try.
constexpr MissingFlag kMissingFlags[] = {
    {"--ca-bundle", "--tls-ca-file is"},
    {"--cli-auto-prompt", "completion is: hapaxctl completion bash"},
    {"--cli-binary-format", "no parameter takes bytes"},
    {"--cli-connect-timeout", "--attempt-timeout is"},
    {"--cli-input-yaml", "--cli-input-json is"},
    {"--cli-read-timeout", "--attempt-timeout is"},
    {"--color", "no output has colors"},
    {"--debug", "stderr says how each call ended"},
    {"--dry-run", "the API has none; nothing was sent"},
    {"--generate-cli-skeleton", "--help has the verb's flags"},
    {"--no-paginate", "--max-items is"},
    {"--no-sign-request", "without --api-key no key is sent"},
    {"--no-verify-ssl", "--tls-ca-file is"},
    {"--profile", "--api-key-file and --tenant are"},
};
// Flags without effect, since hapaxctl always behaves as they ask.
constexpr std::string_view kIdleFlags[] = {"--no-cli-auto-prompt", "--no-cli-pager", "--no-dry-run"};

bool IsFlag(const std::string& word) { return word.size() > 2 && absl::StartsWith(word, "--") && word[2] != '-'; }

absl::Status Wrong(const std::string& flag, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", what));
}

bool TakesValues(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
bool TakesSeveral(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

class Reader {
 public:
  Reader(CLI::App& app, const std::vector<std::string>& words) : verb_(&app), words_(words) {}

  absl::StatusOr<CommandLine> Read() {
    if (!words_.empty()) line_.typed.push_back(words_[at_++]);
    while (at_ < words_.size()) {
      const std::string& word = words_[at_];
      if (word == "--") {
        TakeRest();
      } else if (IsFlag(word)) {
        if (absl::Status status = TakeFlag(); !status.ok()) return status;
      } else {
        TakeVerbOrPlace(word);
      }
    }
    if (!input_.has_value()) return std::move(line_);
    absl::Status status = AddInput(*input_, *verb_, line_);
    if (!status.ok()) return Wrong(kInputFlag, std::string(status.message()));
    return std::move(line_);
  }

 private:
  void TakeRest() {
    for (; at_ < words_.size(); ++at_) {
      line_.typed.push_back(words_[at_]);
      line_.parsed.push_back(words_[at_]);
    }
  }

  void TakeVerbOrPlace(const std::string& word) {
    const auto verbs = verb_->get_subcommands([&](const CLI::App* verb) { return verb->get_name() == word; });
    if (!verbs.empty()) verb_ = verbs.front();
    line_.typed.push_back(word);
    line_.parsed.push_back(word);
    ++at_;
  }

  // The options of the verb and its parents with this prefix; an exact match counts alone.
  std::vector<std::pair<std::string, CLI::Option*>> OptionsThatBegin(const std::string& flag) {
    std::vector<std::pair<std::string, CLI::Option*>> found;
    for (CLI::App* app = verb_; app != nullptr; app = app->get_parent()) {
      for (CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames()) {
          const std::string whole = absl::StrCat("--", name);
          if (whole == flag) return {{whole, option}};
          const bool known = std::any_of(found.begin(), found.end(), [&](const auto& it) { return it.first == whole; });
          if (absl::StartsWith(whole, flag) && !known) found.emplace_back(whole, option);
        }
      }
    }
    return found;
  }

  [[nodiscard]] absl::Status NotThere(const std::string& flag) const {
    for (const MissingFlag& missing : kMissingFlags) {
      if (absl::StartsWith(missing.name, flag)) {
        return Wrong(missing.name, absl::StrCat("is not there; ", missing.instead));
      }
    }
    const std::string verb = verb_->get_name();
    return Wrong(flag, absl::StrCat(verb, verb.empty() ? "" : " ", "has no such flag"));
  }

  absl::Status TakeFlag() {
    const std::string word = words_[at_++];
    const size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const auto found = OptionsThatBegin(flag);
    if (found.empty()) {
      const bool idle = std::find(std::begin(kIdleFlags), std::end(kIdleFlags), flag) != std::end(kIdleFlags);
      return idle ? absl::OkStatus() : NotThere(flag);
    }
    if (found.size() > 1) {
      return Wrong(flag,
                   absl::StrCat("could be any of ", absl::StrJoin(found, ", ", [](std::string* out, const auto& it) {
                                  out->append(it.first);
                                })));
    }
    const auto& [name, option] = found.front();
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);
    if (TakesValues(*option)) return TakeValues(name, *option, std::move(value));
    line_.typed.push_back(name + word.substr(flag.size()));
    line_.parsed.push_back(line_.typed.back());
    return absl::OkStatus();
  }

  absl::Status TakeValues(const std::string& flag, const CLI::Option& option, std::optional<std::string> value) {
    if (value.has_value()) {
      line_.typed.push_back(absl::StrCat(flag, "=", *value));
      return Give(flag, *value);
    }
    line_.typed.push_back(flag);
    size_t taken = 0;
    while (at_ < words_.size() && !IsFlag(words_[at_]) && words_[at_] != "--" && (taken == 0 || TakesSeveral(option))) {
      line_.typed.push_back(words_[at_]);
      if (absl::Status status = Give(flag, words_[at_]); !status.ok()) return status;
      ++at_;
      ++taken;
    }
    return taken > 0 ? absl::OkStatus() : Wrong(flag, "needs a value (one that begins with -- as --flag=--value)");
  }

  absl::Status Give(const std::string& flag, const std::string& value) {
    if (flag == kInputFlag) {
      if (input_.has_value()) return Wrong(flag, "is given twice");
      input_ = value;
      return absl::OkStatus();
    }
    line_.parsed.push_back(flag);
    line_.parsed.push_back(value);
    return absl::OkStatus();
  }

  CLI::App* verb_;
  const std::vector<std::string>& words_;
  size_t at_ = 0;
  CommandLine line_;
  std::optional<std::string> input_;
};

}  // namespace

absl::StatusOr<CommandLine> ReadCommandLine(CLI::App& app, const std::vector<std::string>& words) {
  return Reader(app, words).Read();
}

bool IsGiven(const CommandLine& line, const std::string& flag) {
  return std::any_of(line.typed.begin(), line.typed.end(), [&](const std::string& word) {
    return word == flag || absl::StartsWith(word, absl::StrCat(flag, "="));
  });
}

std::string MissingFlagsHelp() {
  return absl::StrCat(
      "Of the AWS CLI, these are not there: ",
      absl::StrJoin(kMissingFlags, ", ", [](std::string* out, const MissingFlag& flag) { out->append(flag.name); }),
      ", and flags of a verb that its --help does not have.\n");
}

}  // namespace hapax::ctl
