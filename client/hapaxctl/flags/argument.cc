#include "hapax/client/hapaxctl/flags/argument.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hapax/client/hapaxctl/output/utf8.h"

namespace hapax::ctl {
namespace {

// These marks contain a NUL, which no word of a command line can.
constexpr std::string_view kTextMark("\0t", 2);
constexpr std::string_view kJsonMark("\0j", 2);
constexpr std::string_view kFile = "file://";
constexpr std::string_view kBinaryFile = "fileb://";

std::string Joined(std::string_view one, std::string_view other) { return std::string(one).append(other); }

// `~/X` is in the home directory: a shell does not expand it within a word.
std::string PathOf(std::string_view path) {
  const char* const home = std::getenv("HOME");
  return path.starts_with("~/") && home != nullptr ? Joined(home, path.substr(1)) : std::string(path);
}

absl::StatusOr<std::string> ContentOf(std::string_view name) {
  const std::string path = PathOf(name);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file.good() && file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (file.bad() || !file.is_open()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" cannot be read: ", std::strerror(errno)));
  }
  std::string text = std::move(content).str();
  if (absl::EndsWith(text, "\n")) text.pop_back();
  if (absl::EndsWith(text, "\r")) text.pop_back();
  return text;
}

absl::StatusOr<std::string> InUtf8(std::string text) {
  if (!IsUtf8(text)) return absl::InvalidArgumentError("must be UTF-8");
  return text;
}

absl::StatusOr<std::string> ReadWord(std::string_view word) {
  if (word.starts_with(kBinaryFile)) {
    return absl::InvalidArgumentError("takes no bytes: file:// reads a text, fileb:// does not go here");
  }
  if (!word.starts_with(kFile)) return InUtf8(std::string(word));
  absl::StatusOr<std::string> content = ContentOf(word.substr(kFile.size()));
  return content.ok() ? InUtf8(*std::move(content)) : content;
}

}  // namespace

std::string MarkText(std::string_view text) { return Joined(kTextMark, text); }
std::string MarkJson(std::string_view json) { return Joined(kJsonMark, json); }

absl::StatusOr<std::string> ReadText(std::string_view word) {
  if (word.starts_with(kTextMark)) return InUtf8(std::string(word.substr(kTextMark.size())));
  if (word.starts_with(kJsonMark)) return absl::InvalidArgumentError("takes one value, no JSON list or object");
  return ReadWord(word);
}

absl::StatusOr<std::string> ReadStructured(std::string_view word) {
  if (word.starts_with(kJsonMark)) return InUtf8(std::string(word.substr(kJsonMark.size())));
  if (word.starts_with(kTextMark)) return absl::InvalidArgumentError("takes a JSON list or object");
  return ReadWord(word);
}

}  // namespace hapax::ctl
