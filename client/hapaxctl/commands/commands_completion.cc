#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/output.h"

namespace hapax::ctl {
namespace {

// The script tracks the verbs so far as `path`, each after a slash. `known` checks it word by word; a flag's value is
// never a verb, whatever it looks like.
constexpr char kScript[] = R"(# bash completion for hapaxctl, made by: hapaxctl completion bash
_hapaxctl() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" path="" i words=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i-1]}" in
      @VALUED@) continue ;;
    esac
    case "$path/${COMP_WORDS[i]}" in
      @PATHS@) path="$path/${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $prev" in
@CHOICES@  esac
  case " @VALUED_WORDS@ " in
    *" $prev "*) [[ -z "$words" && "$cur" != -* ]] && return ;;
  esac
  if [[ -z "$words" ]]; then
    case "$path" in
@WORDS@    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _hapaxctl hapaxctl
)";

struct Words {
  std::map<std::string, std::vector<std::string>> of_path;  // Possible next verbs and flags.
  std::map<std::string, std::string> choices;               // By path and flag.
  std::set<std::string> valued;                             // Flags with a value.
};

// `inherited`: the options of the parents, which also apply here.
void Collect(CLI::App& app, const std::string& path, std::vector<CLI::Option*> inherited, Words& words) {
  std::vector<std::string>& here = words.of_path[path];
  std::vector<CLI::Option*> options = app.get_options();
  // The help and version options of parents do not apply.
  for (CLI::Option* option : options) {
    if (option->get_items_expected_max() > 0) inherited.push_back(option);
  }
  std::set<CLI::Option*> all(options.begin(), options.end());
  all.insert(inherited.begin(), inherited.end());
  for (CLI::App* verb : app.get_subcommands({})) here.push_back(verb->get_name());
  for (CLI::Option* option : all) {
    for (const std::string& name : option->get_lnames()) {
      const std::string flag = "--" + name;
      here.push_back(flag);
      if (option->get_items_expected_max() > 0) words.valued.insert(flag);
      const std::vector<std::string> choices = ChoicesOf(*option);
      if (!choices.empty()) words.choices[absl::StrCat(path, " ", flag)] = absl::StrJoin(choices, " ");
    }
  }
  std::sort(here.begin(), here.end());
  for (CLI::App* verb : app.get_subcommands({})) {
    Collect(*verb, absl::StrCat(path, "/", verb->get_name()), inherited, words);
  }
}

void Replace(std::string& script, const std::string& mark, const std::string& text) {
  script.replace(script.find(mark), mark.size(), text);
}

// A script for bash that completes the app's verbs, their flags, and the words of a choice. It is made from the app, so
// it has what the app has.
std::string BashCompletion(CLI::App& app) {
  Words words;
  Collect(app, "", {}, words);
  std::vector<std::string> paths;
  std::string lists;
  for (const auto& [path, list] : words.of_path) {
    if (!path.empty()) paths.push_back(path);
    absl::StrAppend(&lists, "      \"", path, "\") words=\"", absl::StrJoin(list, " "), "\" ;;\n");
  }
  std::string choices;
  for (const auto& [place, list] : words.choices) {
    absl::StrAppend(&choices, "    \"", place, "\") words=\"", list, "\" ;;\n");
  }
  std::string script = kScript;
  Replace(script, "@VALUED@", absl::StrJoin(words.valued, " | "));
  Replace(script, "@PATHS@", absl::StrJoin(paths, " | "));
  Replace(script, "@CHOICES@", choices);
  Replace(script, "@VALUED_WORDS@", absl::StrJoin(words.valued, " "));
  Replace(script, "@WORDS@", lists);
  return script;
}

}  // namespace

Action BindCompletionBash(CLI::App& verb) {
  CLI::App* root = &verb;
  while (root->get_parent() != nullptr) root = root->get_parent();
  return [root](Session& session) {
    const absl::Status written = WriteToStdout(BashCompletion(*root));
    return written.ok() ? ExitCode::kDone : session.Fail(written);
  };
}

}  // namespace hapax::ctl
