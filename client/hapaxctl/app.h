#ifndef HAPAX_CLIENT_HAPAXCTL_APP_H_
#define HAPAX_CLIENT_HAPAXCTL_APP_H_

#include <string>

#include "CLI/CLI.hpp"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/globals.h"

namespace hapax::ctl {

// What a command line asks for.
struct Chosen {
  std::string verb;  // Such as `run-instances`, or `token get`.
  Action action;
  bool takes_token = false;
  bool is_patient = false;
  bool prints_reply = true;
  bool prints_table = false;
};

// The whole program as CLI11 sees it: all verbs and flags. Parsing fills `globals` and `chosen`, which outlive the app.
void BuildApp(CLI::App& app, Globals& globals, Chosen& chosen);

// The program: parses the command line, does what it asks for, and returns the exit code.
int Main(int argc, char** argv);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_APP_H_
