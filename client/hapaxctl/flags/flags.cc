#include "hapax/client/hapaxctl/flags/flags.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hapax/client/hapaxctl/flags/argument.h"
#include "hapax/client/hapaxctl/flags/shorthand.h"

namespace hapax::ctl {
namespace {

constexpr char kChoice[] = "choice";

void ThrowUnlessOk(const std::string& flag, const absl::Status& status) {
  if (!status.ok()) throw CLI::ValidationError(flag, std::string(status.message()));
}

// Transforms each word by `read` before anything else uses it.
void ReadWith(CLI::Option& option, absl::StatusOr<std::string> (*read)(std::string_view)) {
  const auto replace = [read](std::string& word) {
    absl::StatusOr<std::string> value = read(word);
    if (!value.ok()) return std::string(value.status().message());
    word = *std::move(value);
    return std::string();
  };
  option.transform(CLI::Validator(replace, "", "read"));
}

CLI::Option* AddOne(CLI::App& app, const std::string& flag, const std::string& type,
                    std::function<absl::Status(const std::string&)> take, const std::string& help) {
  const auto taker = [flag, take = std::move(take)](const std::string& text) { ThrowUnlessOk(flag, take(text)); };
  return app.add_option_function<std::string>(flag, taker, help)->type_name(type);
}

std::function<absl::Status(const std::string&)> NotEmptyInto(std::string& target) {
  return [&target](const std::string& text) {
    target = text;
    return text.empty() ? absl::InvalidArgumentError("must not be empty") : absl::OkStatus();
  };
}

}  // namespace

CLI::Option* AddValue(CLI::App& app, const std::string& flag, const std::string& type,
                      std::function<absl::Status(const std::string&)> take, const std::string& help) {
  CLI::Option* const option = AddOne(app, flag, type, std::move(take), help);
  // Only flags of verbs are parameters of calls; a flag of the program is taken literally.
  if (app.get_parent() != nullptr) ReadWith(*option, &ReadText);
  return option;
}

CLI::Option* AddStructure(CLI::App& app, const std::string& flag, const std::string& type,
                          std::function<absl::Status(const std::string&)> take, const std::string& help) {
  CLI::Option* const option = AddOne(app, flag, type, std::move(take), help);
  ReadWith(*option, &ReadStructured);
  return option;
}

CLI::Option* AddValues(CLI::App& app, const std::string& flag, const std::string& type,
                       std::function<absl::Status(const std::vector<std::string>&)> take, const std::string& help) {
  const auto taker = [flag, take = std::move(take)](const std::vector<std::string>& texts) {
    ThrowUnlessOk(flag, take(texts));
  };
  CLI::Option* const option = app.add_option_function<std::vector<std::string>>(flag, taker, help);
  ReadWith(*option, &ReadStructured);
  // One word at a time: given several at once, CLI11 would split a word in brackets (command_line.h).
  return option->type_name(type)->allow_extra_args(false);
}

CLI::Option* AddPath(CLI::App& app, const std::string& flag, std::string& target, const std::string& help) {
  return AddOne(app, flag, "PATH", NotEmptyInto(target), help);
}

CLI::Option* AddText(CLI::App& app, const std::string& flag, std::string& target, const std::string& help) {
  return AddValue(app, flag, "TEXT", NotEmptyInto(target), help);
}

CLI::Option* AddTexts(CLI::App& app, const std::string& flag, Texts& target, const std::string& help) {
  const auto take = [&target](const std::vector<std::string>& words) {
    const absl::StatusOr<std::vector<std::string>> texts = ParseTexts(words);
    if (!texts.ok()) return texts.status();
    target.Assign(texts->begin(), texts->end());
    for (const std::string& text : *texts) {
      if (text.empty()) return absl::InvalidArgumentError("none of them may be empty");
    }
    return absl::OkStatus();
  };
  return AddValues(app, flag, "TEXT", take, help);
}

CLI::Option* AddNumber(CLI::App& app, const std::string& flag, int32_t min, int32_t max,
                       std::function<void(int32_t)> take, const std::string& help) {
  const auto parse = [min, max, take = std::move(take)](const std::string& text) {
    int32_t number = 0;
    if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
      return absl::InvalidArgumentError(
          absl::StrCat("must be a number from ", min, " to ", max, ", not \"", text, "\""));
    }
    take(number);
    return absl::OkStatus();
  };
  return AddValue(app, flag, "N", parse, help);
}

CLI::Option* AddDuration(CLI::App& app, const std::string& flag, absl::Duration& target, const std::string& help) {
  const auto take = [&target](const std::string& text) {
    const absl::StatusOr<absl::Duration> duration = ParsePositiveDuration(text);
    if (duration.ok()) target = *duration;
    return duration.status();
  };
  return AddValue(app, flag, "DURATION", take, help);
}

CLI::Option* AddChoice(CLI::App& app, const std::string& flag, const std::vector<std::string>& choices,
                       std::function<void(const std::string&)> take, const std::string& help) {
  const auto always = [take = std::move(take)](const std::string& text) {
    take(text);
    return absl::OkStatus();
  };
  CLI::IsMember member(choices);
  member.name(kChoice);
  return AddValue(app, flag, "", always, help)->check(member);
}

std::vector<std::string> ChoicesOf(CLI::Option& option) {
  try {
    const std::string set = option.get_validator(kChoice)->get_description();  // `{a,b}`.
    return absl::StrSplit(absl::StripSuffix(absl::StripPrefix(set, "{"), "}"), ',');
  } catch (const CLI::OptionNotFound&) {
    return {};
  }
}

CLI::Option* AddClientToken(CLI::App& app, std::string& target) {
  const auto take = [&target](const std::string& text) {
    target = text;
    return CheckClientToken(text);
  };
  return AddValue(app, "--client-token", "TOKEN", take,
                  "Names this one effect: the same line with the same token has it once. Made anew when not given");
}

CLI::Option* AddTags(CLI::App& app, const std::string& resource_type, Tags& target) {
  const auto take = [&target, resource_type](const std::vector<std::string>& texts) {
    absl::StatusOr<Tags> tags = ParseTags(texts, resource_type);
    if (!tags.ok()) return tags.status();
    target = *std::move(tags);
    return absl::OkStatus();
  };
  const std::string form = absl::StrCat("\"ResourceType=", resource_type, ",Tags=[{Key=k,Value=v},...]\"");
  return AddValues(app, "--tag-specifications", "TAGS", take, absl::StrCat("Tags of what is made: ", form));
}

CLI::Option* AddFilters(CLI::App& app, Filters& target) {
  const auto take = [&target](const std::vector<std::string>& words) {
    const absl::StatusOr<std::vector<compute::v1::Filter>> filters = ParseFilters(words);
    if (filters.ok()) target.Assign(filters->begin(), filters->end());
    return filters.status();
  };
  return AddValues(app, "--filters", "FILTER", take,
                   "Only what matches all of them: \"Name=...,Values=a,b\" ...; in a value * and ? are wildcards");
}

}  // namespace hapax::ctl
