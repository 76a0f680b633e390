// Keys: tuples of strings and numbers as bytes that compare as the tuples do.
#include <compare>
#include <string>
#include <variant>
#include <vector>

#include "hapax/base/check.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/key.h"
#include "hapax/tests/fuzz/input.h"

namespace hapax {
namespace {

using Element = std::variant<std::string, uint64_t>;
using Tuple = std::vector<Element>;

std::string Encode(const Tuple& tuple) {
  KeyBuilder builder;
  for (const Element& element : tuple) {
    if (const auto* text = std::get_if<std::string>(&element)) {
      builder.String(*text);
    } else {
      builder.Uint64(std::get<uint64_t>(element));
    }
  }
  return builder.Build();
}

// Two tuples of one shape.
void TakeTuples(Input& input, Tuple& left, Tuple& right) {
  const int shape = input.Byte();
  const int size = 1 + shape % 4;
  for (int i = 0; i < size; ++i) {
    const bool is_text = (shape >> (2 + i) & 1) == 0;
    for (Tuple* tuple : {&left, &right}) {
      if (is_text) {
        tuple->emplace_back(input.String());
      } else {
        tuple->emplace_back(input.Number(8));
      }
    }
  }
}

void CheckRoundTrip(const Tuple& tuple, const std::string& key) {
  KeyParser parser(key);
  for (const Element& element : tuple) {
    if (const auto* text = std::get_if<std::string>(&element)) {
      const auto parsed = parser.String();
      HAPAX_CHECK(parsed.ok() && *parsed == *text, "a string comes out as it went in");
    } else {
      const auto parsed = parser.Uint64();
      HAPAX_CHECK(parsed.ok() && *parsed == std::get<uint64_t>(element), "a number comes out as it went in");
    }
  }
  HAPAX_CHECK(parser.AtEnd(), "nothing is left over");
}

void CheckRanges(const std::string& prefix, const std::string& key) {
  const auto in = [&](const KeyRange& range) { return key >= range.begin && (range.end.empty() || key < range.end); };
  const KeyRange range = KeyRange::Prefix(prefix);
  HAPAX_CHECK(in(range) == key.starts_with(prefix), "a prefix's range has the keys that begin with it");
  HAPAX_CHECK(in(KeyRange::After(range, prefix)) == (key.starts_with(prefix) && key != prefix),
              "after a key is what is greater");
  HAPAX_CHECK(!in(range) || !range.empty(), "a range that has a key is not empty");
}

// Bytes that nobody encoded: refused, or the encoding of what is read.
void CheckForeign(const std::string& bytes) {
  const absl::StatusOr<TokenKey> key = DecodeTokenKey(bytes);
  HAPAX_CHECK(!key.ok() || EncodeTokenKey(*key) == bytes, "only what was encoded is decoded");
  KeyParser strings(bytes);
  std::string again;
  while (true) {
    const auto element = strings.String();
    if (!element.ok()) break;
    again += KeyBuilder().String(*element).Build();
  }
  HAPAX_CHECK(bytes.starts_with(again), "each string has one encoding");
  KeyParser numbers(bytes);
  while (numbers.Uint64().ok()) {
  }
}

}  // namespace
}  // namespace hapax

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hapax;
  Input input(data, size);
  Tuple left;
  Tuple right;
  TakeTuples(input, left, right);
  const std::string left_key = Encode(left);
  const std::string right_key = Encode(right);
  HAPAX_CHECK((left < right) == (left_key < right_key), "keys are ordered as their tuples");
  HAPAX_CHECK((left == right) == (left_key == right_key), "each tuple has one key of its own");
  HAPAX_CHECK(left == right || (!left_key.starts_with(right_key) && !right_key.starts_with(left_key)),
              "no key is a prefix of another of its shape");
  CheckRoundTrip(left, left_key);
  CheckRoundTrip(right, right_key);
  CheckRanges(right_key, left_key);
  const std::string foreign = input.Rest();
  CheckRanges(foreign, left_key);
  CheckRanges(left_key, foreign);
  CheckForeign(foreign);
  return 0;
}
