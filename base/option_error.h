#ifndef HAPAX_BASE_OPTION_ERROR_H_
#define HAPAX_BASE_OPTION_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hapax {

// The error of a server option: "<option>=<value>: <error>".
[[nodiscard]] inline absl::Status OptionError(absl::string_view option, absl::string_view value,
                                              const absl::Status& error) {
  return {error.code(), absl::StrCat(option, "=", value, ": ", error.message())};
}

}  // namespace hapax

#endif  // HAPAX_BASE_OPTION_ERROR_H_
