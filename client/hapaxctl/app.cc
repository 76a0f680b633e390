#include "hapax/client/hapaxctl/app.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/client/hapaxctl/commands/session.h"
#include "hapax/client/hapaxctl/flags/command_line.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/client/hapaxctl/output/exit_code.h"
#include "hapax/client/hapaxctl/output/report.h"

namespace hapax::ctl {
namespace {

constexpr char kAbout[] =
    "Calls hapaxd. A call that changes something happens once, however often it is run with the same client token.";

// For --help and completion only: ReadCommandLine (command_line.h) handles the flag.
void AddInputFlag(CLI::App& verb) {
  const auto nothing = [](const std::string&) { return absl::OkStatus(); };
  AddValue(verb, kInputFlag, "JSON", nothing,
           "Flags of the verb as a JSON object, such as {\"ImageId\": ...}; one that is given goes before it");
}

CLI::App& AddCommand(CLI::App& parent, const Command& command, const std::string& prefix, Chosen& chosen) {
  CLI::App& verb = *parent.add_subcommand(command.name, command.about);
  verb.footer(
      absl::StrCat("Example:\n  hapaxctl ", command.example, "\n\nhapaxctl --help has the flags of every verb."));
  Chosen choice{.verb = prefix + command.name,
                .action = command.bind(verb),
                .takes_token = command.takes_token,
                .is_patient = command.is_patient,
                .prints_reply = command.prints_reply,
                .prints_table = command.prints_table};
  verb.final_callback([&chosen, choice = std::move(choice)] { chosen = choice; });
  return verb;
}

CLI::App& AddGroup(CLI::App& app, const std::string& name, const std::string& about) {
  CLI::App& group = *app.add_subcommand(name, about);
  group.require_subcommand(0, 1);
  return group;
}

int Wrong(const std::string& what) {
  Say(absl::StrCat(what, " (hapaxctl [VERB] --help says what is allowed)"));
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

void BuildApp(CLI::App& app, Globals& globals, Chosen& chosen) {
  app.description(kAbout);
  app.footer(absl::StrCat("Example:\n  hapaxctl ", Ec2Commands().front().example, "\n\n", ExitCodeHelp(), "\n",
                          MissingFlagsHelp()));
  app.set_version_flag("--version", "hapaxctl " HAPAX_VERSION);
  // Flags of all verbs may follow the verb.
  app.fallthrough();
  // A missing verb is detected later: otherwise an unknown verb would be reported as missing.
  app.require_subcommand(0, 1);
  AddGlobals(app, globals);
  CLI::App& ec2 = AddGroup(app, "ec2", "The verbs of `aws ec2`, as below without it");
  for (const Command& command : Ec2Commands()) {
    for (CLI::App* parent : {&app, &ec2}) AddInputFlag(AddCommand(*parent, command, "", chosen));
  }
  for (const Command& command : OwnCommands()) AddCommand(app, command, "", chosen);
  for (const CommandGroup& group : CommandGroups()) {
    CLI::App& parent = AddGroup(app, group.name, group.about);
    for (const Command& command : group.commands) AddCommand(parent, command, absl::StrCat(group.name, " "), chosen);
  }
}

int Main(int argc, char** argv) {
  Globals globals;
  Chosen chosen;
  CLI::App app("", "hapaxctl");
  BuildApp(app, globals, chosen);
  const absl::StatusOr<CommandLine> line = ReadCommandLine(app, std::vector<std::string>(argv, argv + argc));
  if (!line.ok()) return Wrong(std::string(line.status().message()));
  if (IsGiven(*line, "--endpoint") && IsGiven(*line, "--endpoint-url")) {
    return Wrong("--endpoint and --endpoint-url exclude one another");
  }
  try {
    app.parse(std::vector<std::string>(line->parsed.rbegin(), line->parsed.rend()));
  } catch (const CLI::ParseError& error) {
    const bool asks_for_help = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    return asks_for_help ? app.exit(error) : Wrong(error.what());
  }
  if (!chosen.action) return Wrong("a verb is required");
  if (!globals.x_client_token.empty() && !chosen.takes_token) {
    return Wrong(absl::StrCat("--x-client-token: ", chosen.verb, " makes no call that a token could name"));
  }
  if (globals.query.has_value() && (!chosen.prints_reply || globals.format == Format::kTable)) {
    return Wrong(absl::StrCat("--query: ", chosen.prints_reply
                                               ? "goes with --output json or text"
                                               : chosen.verb + " prints no reply that it could look at"));
  }
  if (chosen.prints_table && !globals.format_is_given && !globals.query.has_value()) globals.format = Format::kTable;
  if (chosen.is_patient) globals.retry.attempt_timeout = globals.retry.timeout;
  Session session(std::move(globals), chosen.verb, line->typed);
  const ExitCode code = chosen.action(session);
  session.AdviseRerun(code);
  return static_cast<int>(code);
}

}  // namespace hapax::ctl
