#ifndef HAPAX_CLIENT_HAPAXCTL_FLAGS_COMPLETION_H_
#define HAPAX_CLIENT_HAPAXCTL_FLAGS_COMPLETION_H_

#include <string>

#include "CLI/CLI.hpp"

namespace hapax::ctl {

// A bash script that completes the app's verbs, their flags, and the words of a choice. It is generated from the app,
// so it is complete.
[[nodiscard]] std::string BashCompletion(CLI::App& app);

}  // namespace hapax::ctl

#endif  // HAPAX_CLIENT_HAPAXCTL_FLAGS_COMPLETION_H_
