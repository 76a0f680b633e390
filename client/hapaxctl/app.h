#ifndef HAPAX_CLIENT_HAPAXCTL_APP_H_
#define HAPAX_CLIENT_HAPAXCTL_APP_H_

#include <string>

#include "CLI/CLI.hpp"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/globals.h"

namespace hapax::ctl {

// The action that a command line selects.
struct Chosen {
  std::string verb;  // Such as `run-instances`, or `token get`.
  Action action;
  bool takes_token = false;
  bool is_patient = false;
  bool prints_reply = true;
  bool prints_table = false;
};

// Adds all verbs and flags to the CLI11 app. Parsing fills `globals` and `chosen`, which outlive the app.
void BuildApp(CLI::App& app, Globals& globals, Chosen& chosen);

// The program: parses the command line, runs it, and returns the exit code.
int Main(int argc, char** argv);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_APP_H_
