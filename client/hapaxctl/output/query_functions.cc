#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hapax/client/hapaxctl/output/query_node.h"
#include "hapax/client/hapaxctl/output/utf8.h"

namespace hapax::ctl {
namespace {

using Array = JsonValue::Array;
using Result = absl::StatusOr<JsonValue>;

// The arguments of a call.
struct Call {
  const std::string& name;
  const std::vector<QueryArgument>& arguments;
  EvaluateQuery evaluate;

  [[nodiscard]] const JsonValue& value(size_t i) const { return arguments[i].value; }
  [[nodiscard]] const Array& list(size_t i = 0) const { return *value(i).array(); }
  [[nodiscard]] const std::string& text(size_t i = 0) const { return *value(i).text(); }
};

JsonValue Number(double value) { return JsonValue::OfNumber(value); }

std::vector<std::string> Characters(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    const size_t length = CodePointLength(text);
    characters.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

absl::Status Wrong(const std::string& name, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, "(): ", absl::string_view(what.data(), what.size())));
}

bool Less(const JsonValue& one, const JsonValue& other) {
  return one.number() != nullptr ? one.number()->value < other.number()->value : *one.text() < *other.text();
}

// The sort keys of a list's elements: the elements themselves, or the results of the expression. All are numbers, or
// all are texts.
absl::StatusOr<Array> KeysOf(const Call& call) {
  Array keys;
  for (const JsonValue& element : call.list()) {
    Result key = call.arguments.size() > 1 ? call.evaluate(*call.arguments[1].expression, element) : element;
    if (!key.ok()) return key.status();
    const bool fits = key->number() != nullptr || key->text() != nullptr;
    if (!fits || (!keys.empty() && keys[0].TypeName() != key->TypeName())) {
      return Wrong(call.name, "orders numbers, or texts, not both or anything else");
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

Result Sorted(const Call& call) {
  const absl::StatusOr<Array> keys = KeysOf(call);
  if (!keys.ok()) return keys.status();
  std::vector<size_t> order(keys->size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return Less((*keys)[a], (*keys)[b]); });
  Array sorted;
  for (const size_t i : order) sorted.push_back(call.list()[i]);
  return JsonValue(std::move(sorted));
}

Result Extreme(const Call& call, bool greatest) {
  const absl::StatusOr<Array> keys = KeysOf(call);
  if (!keys.ok()) return keys.status();
  if (keys->empty()) return JsonValue();
  size_t best = 0;
  for (size_t i = 1; i < keys->size(); ++i) {
    const bool better = greatest ? Less((*keys)[best], (*keys)[i]) : Less((*keys)[i], (*keys)[best]);
    if (better) best = i;
  }
  return call.list()[best];
}

absl::StatusOr<double> SumOf(const Call& call) {
  double sum = 0;
  for (const JsonValue& element : call.list()) {
    if (element.number() == nullptr) return Wrong(call.name, "takes numbers");
    sum += element.number()->value;
  }
  return sum;
}

Result Average(const Call& call) {
  const absl::StatusOr<double> sum = SumOf(call);
  if (!sum.ok()) return sum.status();
  return call.list().empty() ? JsonValue() : Number(*sum / static_cast<double>(call.list().size()));
}

Result Contains(const Call& call) {
  if (const Array* list = call.value(0).array()) {
    return JsonValue(std::find(list->begin(), list->end(), call.value(1)) != list->end());
  }
  if (call.value(1).text() == nullptr) return JsonValue(false);
  return JsonValue(call.text().find(call.text(1)) != std::string::npos);
}

Result Join(const Call& call) {
  std::vector<std::string> texts;
  for (const JsonValue& element : call.list(1)) {
    if (element.text() == nullptr) return Wrong(call.name, "joins texts");
    texts.push_back(*element.text());
  }
  return JsonValue(absl::StrJoin(texts, call.text()));
}

Result Length(const Call& call) {
  const JsonValue& value = call.value(0);
  if (value.text() != nullptr) return Number(static_cast<double>(Characters(*value.text()).size()));
  return Number(static_cast<double>(value.array() != nullptr ? value.array()->size() : value.object()->size()));
}

Result Map(const Call& call) {
  Array mapped;
  for (const JsonValue& element : call.list(1)) {
    Result found = call.evaluate(*call.arguments[0].expression, element);
    if (!found.ok()) return found.status();
    mapped.push_back(*std::move(found));
  }
  return JsonValue(std::move(mapped));
}

Result Merge(const Call& call) {
  JsonValue::Object merged;
  for (const QueryArgument& argument : call.arguments) {
    for (const JsonMember& member : *argument.value.object()) {
      const auto known =
          std::find_if(merged.begin(), merged.end(), [&](const JsonMember& it) { return it.name == member.name; });
      if (known == merged.end()) {
        merged.push_back(member);
      } else {
        known->value = member.value;
      }
    }
  }
  return JsonValue(std::move(merged));
}

Result NotNull(const Call& call) {
  for (const QueryArgument& argument : call.arguments) {
    if (!argument.value.IsNull()) return argument.value;
  }
  return JsonValue();
}

Result Reverse(const Call& call) {
  if (const Array* list = call.value(0).array()) return JsonValue(Array(list->rbegin(), list->rend()));
  const std::vector<std::string> characters = Characters(call.text());
  return JsonValue(absl::StrJoin(characters.rbegin(), characters.rend(), ""));
}

Result ToNumber(const Call& call) {
  const JsonValue& value = call.value(0);
  if (value.number() != nullptr) return value;
  if (value.text() == nullptr) return JsonValue();
  Result number = ParseJson(*value.text());
  return number.ok() && number->number() != nullptr ? number : JsonValue();
}

// The names or the values of an object.
Result MembersOf(const Call& call, bool names) {
  Array members;
  for (const JsonMember& member : *call.value(0).object()) {
    members.push_back(names ? JsonValue(member.name) : member.value);
  }
  return JsonValue(std::move(members));
}

struct Function {
  std::string_view name;
  // The types of the arguments: a(rray), b(oolean), n(umber), o(bject), s(tring), * for any, & for an expression;
  // separated by commas. Three dots repeat the last.
  std::string_view takes;
  Result (*call)(const Call&);
};

constexpr Function kFunctions[] = {
    {"abs", "n", [](const Call& call) -> Result { return Number(std::abs(call.value(0).number()->value)); }},
    {"avg", "a", Average},
    {"ceil", "n", [](const Call& call) -> Result { return Number(std::ceil(call.value(0).number()->value)); }},
    {"contains", "as,*", Contains},
    {"ends_with", "s,s", [](const Call& call) -> Result { return JsonValue(call.text().ends_with(call.text(1))); }},
    {"floor", "n", [](const Call& call) -> Result { return Number(std::floor(call.value(0).number()->value)); }},
    {"join", "s,a", Join},
    {"keys", "o", [](const Call& call) { return MembersOf(call, true); }},
    {"length", "aos", Length},
    {"map", "&,a", Map},
    {"max", "a", [](const Call& call) { return Extreme(call, true); }},
    {"max_by", "a,&", [](const Call& call) { return Extreme(call, true); }},
    {"merge", "o...", Merge},
    {"min", "a", [](const Call& call) { return Extreme(call, false); }},
    {"min_by", "a,&", [](const Call& call) { return Extreme(call, false); }},
    {"not_null", "*...", NotNull},
    {"reverse", "as", Reverse},
    {"sort", "a", Sorted},
    {"sort_by", "a,&", Sorted},
    {"starts_with", "s,s", [](const Call& call) -> Result { return JsonValue(call.text().starts_with(call.text(1))); }},
    {"sum", "a",
     [](const Call& call) -> Result {
       const absl::StatusOr<double> sum = SumOf(call);
       return sum.ok() ? Result(Number(*sum)) : sum.status();
     }},
    {"to_array", "*",
     [](const Call& call) -> Result {
       return call.value(0).array() != nullptr ? call.value(0) : JsonValue(Array{call.value(0)});
     }},
    {"to_number", "*", ToNumber},
    {"to_string", "*",
     [](const Call& call) -> Result {
       return call.value(0).text() != nullptr ? call.value(0) : JsonValue(JsonText(call.value(0)));
     }},
    {"type", "*", [](const Call& call) -> Result { return JsonValue(std::string(call.value(0).TypeName())); }},
    {"values", "o", [](const Call& call) { return MembersOf(call, false); }},
};

const Function* Find(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const Function& it) { return it.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

bool Fits(std::string_view kinds, const QueryArgument& argument) {
  if (kinds == "&" || argument.expression != nullptr) return kinds == "&" && argument.expression != nullptr;
  if (kinds == "*" || argument.value.IsNull()) return kinds == "*";
  return kinds.find(argument.value.TypeName()[0]) != std::string_view::npos;
}

absl::Status Check(const Function& function, const std::vector<QueryArgument>& arguments) {
  const std::string name(function.name);
  std::string_view kinds = function.takes;
  const bool repeats = kinds.ends_with("...");
  if (repeats) kinds.remove_suffix(3);
  const auto wanted = static_cast<size_t>(std::count(kinds.begin(), kinds.end(), ',') + 1);
  if (repeats ? arguments.size() < wanted : arguments.size() != wanted) {
    return Wrong(name,
                 absl::StrCat("takes ", repeats ? "at least " : "", wanted, wanted == 1 ? " argument" : " arguments"));
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const size_t comma = kinds.find(',');
    if (!Fits(kinds.substr(0, comma), arguments[i])) {
      const std::string_view type = arguments[i].expression != nullptr ? "expression" : arguments[i].value.TypeName();
      return Wrong(
          name, absl::StrCat("argument ", i + 1, " cannot be of type ", absl::string_view(type.data(), type.size())));
    }
    if (comma != std::string_view::npos) kinds.remove_prefix(comma + 1);
  }
  return absl::OkStatus();
}

}  // namespace

bool IsQueryFunction(std::string_view name) { return Find(name) != nullptr; }

Result CallQueryFunction(const std::string& name, const std::vector<QueryArgument>& arguments, EvaluateQuery evaluate) {
  const Function& function = *Find(name);
  if (absl::Status status = Check(function, arguments); !status.ok()) return status;
  return function.call({.name = name, .arguments = arguments, .evaluate = evaluate});
}

}  // namespace hapax::ctl
