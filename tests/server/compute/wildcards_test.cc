#include "hapax/server/compute/wildcards.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace hapax::compute {
namespace {

bool Matches(const std::vector<std::string>& values, std::string_view text) {
  std::vector<Pattern> patterns;
  for (const std::string& value : values) patterns.push_back(Pattern::Of(value).value());
  return Wildcards(patterns).Match(text);
}

TEST(Pattern, IsATextWithoutWildcards) {
  for (const auto& [value, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"abc", "abc"},
           {R"(\*\?\\)", R"(*?\)"},
           {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}}) {
    const auto pattern = Pattern::Of(value);
    ASSERT_TRUE(pattern.has_value()) << value;
    EXPECT_TRUE(pattern->IsText()) << value;
    EXPECT_EQ(pattern->Text(), text);
    EXPECT_TRUE(Matches({value}, text));
    EXPECT_FALSE(Matches({value}, text + "x"));
  }
  for (const char* value : {"*", "?", "a*", R"(\**)", R"(\\?)"}) EXPECT_FALSE(Pattern::Of(value)->IsText()) << value;
  for (const char* value : {R"(\)", R"(\a)", R"(a\)", R"(\\\)"}) EXPECT_FALSE(Pattern::Of(value).has_value()) << value;
}

TEST(Wildcards, AQuestionMarkIsOneCharacterAndNotOneByte) {
  EXPECT_TRUE(Matches({"a?b"},
                      "a\xC3\xA9"
                      "b"));
  EXPECT_TRUE(Matches({"?"}, "\xF0\x9F\x98\x80"));
  EXPECT_FALSE(Matches({"??"}, "\xC3\xA9"));
  EXPECT_TRUE(Matches({"*\xC3\xA9"}, "\xC3\xA8\xC3\xA9"));
  EXPECT_FALSE(Matches({"*\xC3\xA9"}, "\xC3\xA9\xC3\xA8"));
}

TEST(Wildcards, AnyPatternIsEnoughWhereverItsPositionsLie) {
  std::vector<std::string> values;
  for (int i = 0; i < 200; ++i) values.push_back("*-" + std::to_string(i) + "-?");
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(Matches(values, "x-" + std::to_string(i) + "-y")) << i;
  EXPECT_FALSE(Matches(values, "x-200-y"));
  EXPECT_FALSE(Matches(values, "x-19-"));
  EXPECT_FALSE(Matches({"*" + std::string(62, 'a'), std::string(3, 'a')}, std::string(4, 'a')));
  EXPECT_FALSE(Matches({}, ""));
}

// Says the same, and may take for ever.
bool MatchesByTrying(std::string_view value, std::string_view text) {
  if (value.empty()) return text.empty();
  if (value[0] == '*') {
    return MatchesByTrying(value.substr(1), text) || (!text.empty() && MatchesByTrying(value, text.substr(1)));
  }
  return !text.empty() && (value[0] == '?' || value[0] == text[0]) && MatchesByTrying(value.substr(1), text.substr(1));
}

TEST(Wildcards, SaysWhatTryingEveryWaySays) {
  std::mt19937 random(1);
  const auto word = [&](std::string_view letters, size_t max_length) {
    std::string made(random() % (max_length + 1), ' ');
    for (char& c : made) c = letters[random() % letters.size()];
    return made;
  };
  int matching = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<std::string> values = {word("ab*?", 8), word("ab*?", 8)};
    const std::string text = word("ab", 10);
    const bool expected = MatchesByTrying(values[0], text) || MatchesByTrying(values[1], text);
    ASSERT_EQ(Matches(values, text), expected) << values[0] << " " << values[1] << " " << text;
    matching += expected ? 1 : 0;
  }
  EXPECT_GT(matching, 1000);
}

// A matcher that goes back would not come to an end.
TEST(Wildcards, ManyStarsAreAsGoodAsOne) {
  std::string value;
  for (int i = 0; i < 512; ++i) value += "*a";
  EXPECT_FALSE(Matches({value + "*b"}, std::string(100'000, 'a')));
  EXPECT_TRUE(Matches({value + "*"}, std::string(100'000, 'a')));
}

}  // namespace
}  // namespace hapax::compute
