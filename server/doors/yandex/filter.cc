#include "hapax/server/doors/yandex/filter.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"

namespace hapax::yandex {
namespace {

constexpr size_t kMaxFilterBytes = 1000;

struct Name {
  std::string_view theirs;
  std::string_view ours;
};

constexpr auto kFields = std::to_array<Name>({{"name", "tag:Name"},
                                              {"status", "instance-state-name"},
                                              {"zone_id", "availability-zone"},
                                              {"platform_id", "instance-type"},
                                              {"host_id", "host-id"}});

constexpr auto kStates = std::to_array<Name>({{"PROVISIONING", "pending"},
                                              {"RUNNING", "running"},
                                              {"STOPPING", "stopping"},
                                              {"STOPPED", "stopped"},
                                              {"DELETING", "shutting-down"}});

template <typename Names>
const Name* Find(const Names& names, std::string_view theirs) {
  const auto* const found =
      std::find_if(names.begin(), names.end(), [theirs](const Name& name) { return name.theirs == theirs; });
  return found == names.end() ? nullptr : found;
}

// Makes wildcards of a filter's value plain characters.
std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '*' || c == '?' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::Status Conditions(compute::v1::DescribeInstancesRequest& request) {
    do {
      HAPAX_RETURN_IF_ERROR(Condition(*request.add_filters()));
    } while (TakeWord("AND"));
    return text_.size() == at_ ? absl::OkStatus() : Wrong("AND, or nothing more, is expected");
  }

 private:
  absl::Status Condition(compute::v1::Filter& filter) {
    const Name* const field = Find(kFields, Word());
    if (field == nullptr) return Wrong("name, status, zone_id, platform_id or host_id is expected");
    filter.set_name(std::string(field->ours));
    if (Take('=')) return Value(*field, filter);
    if (!TakeWord("IN")) return Wrong("= or IN is expected");
    if (!Take('(')) return Wrong("( is expected");
    do {
      HAPAX_RETURN_IF_ERROR(Value(*field, filter));
    } while (Take(','));
    return Take(')') ? absl::OkStatus() : Wrong(", or ) is expected");
  }

  absl::Status Value(const Name& field, compute::v1::Filter& filter) {
    HAPAX_ASSIGN_OR_RETURN(const std::string value, Quoted());
    if (field.theirs != "status") {
      filter.add_values(Escaped(value));
      return absl::OkStatus();
    }
    const Name* const state = Find(kStates, value);
    if (state == nullptr) return Wrong("a status is PROVISIONING, RUNNING, STOPPING, STOPPED or DELETING");
    filter.add_values(std::string(state->ours));
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Quoted() {
    SkipBlanks();
    const char quote = Peek();
    if (quote != '"' && quote != '\'') return Wrong("a text in quotes is expected");
    std::string value;
    for (++at_; Peek() != quote; ++at_) {
      if (Peek() == '\\') ++at_;
      if (at_ >= text_.size()) return Wrong("the text has no closing quote");
      value += Peek();
    }
    ++at_;
    return value;
  }

  std::string_view Word() {
    SkipBlanks();
    const size_t begin = at_;
    while (absl::ascii_isalpha(static_cast<unsigned char>(Peek())) || Peek() == '_') ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool TakeWord(std::string_view wanted) {
    const size_t before = at_;
    const std::string_view word = Word();
    if (absl::EqualsIgnoreCase({word.data(), word.size()}, {wanted.data(), wanted.size()})) return true;
    at_ = before;
    SkipBlanks();
    return false;
  }

  bool Take(char wanted) {
    SkipBlanks();
    if (Peek() != wanted) return false;
    ++at_;
    return true;
  }

  void SkipBlanks() {
    while (absl::ascii_isspace(static_cast<unsigned char>(Peek()))) ++at_;
  }

  // 0 at the end, which is in no expression.
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  [[nodiscard]] absl::Status Wrong(std::string_view expected) const {
    return RefuseParameter("filter", absl::StrCat("at byte ", at_, " ", std::string(expected)));
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::Status AddFilter(std::string_view expression, compute::v1::DescribeInstancesRequest& request) {
  if (expression.empty()) return absl::OkStatus();
  if (expression.size() > kMaxFilterBytes) {
    return RefuseParameter("filter", absl::StrCat("must have at most ", kMaxFilterBytes, " bytes"));
  }
  if (expression.find('\0') != std::string_view::npos) return RefuseParameter("filter", "must have no NUL");
  return Parser(expression).Conditions(request);
}

void LeaveOutTerminated(compute::v1::DescribeInstancesRequest& request) {
  compute::v1::Filter& filter = *request.add_filters();
  filter.set_name("instance-state-name");
  for (const Name& state : kStates) filter.add_values(std::string(state.ours));
}

}  // namespace hapax::yandex
