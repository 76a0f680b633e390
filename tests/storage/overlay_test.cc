#include "hapax/storage/overlay.h"

#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;
using testing::Pointee;

const std::optional<std::string> kDeleted = std::nullopt;

TEST(Overlay, HoldsNothingAtFirst) {
  const Overlay overlay;
  EXPECT_TRUE(overlay.empty());
  EXPECT_EQ(overlay.Find(Table::kTokens, "key"), nullptr);
}

TEST(Overlay, TheLastWriteOfAKeyCounts) {
  Overlay overlay;
  overlay.Write(Table::kTokens, "key", "old");
  overlay.Write(Table::kTokens, "key", "new");
  EXPECT_THAT(overlay.Find(Table::kTokens, "key"), Pointee(Optional(std::string("new"))));
  overlay.Write(Table::kTokens, "key", kDeleted);
  EXPECT_THAT(overlay.Find(Table::kTokens, "key"), Pointee(kDeleted));
  overlay.Write(Table::kTokens, "key", "again");
  EXPECT_THAT(overlay.Find(Table::kTokens, "key"), Pointee(Optional(std::string("again"))));
}

TEST(Overlay, ADeletedRowIsAWriteAndAnUnknownOneIsNone) {
  Overlay overlay;
  overlay.Write(Table::kWork, "key", kDeleted);
  EXPECT_FALSE(overlay.empty());
  EXPECT_THAT(overlay.Find(Table::kWork, "key"), Pointee(kDeleted));
  EXPECT_EQ(overlay.Find(Table::kWork, "other"), nullptr);
}

TEST(Overlay, AnEmptyValueIsNotADeletedRow) {
  Overlay overlay;
  overlay.Write(Table::kWork, "key", "");
  EXPECT_THAT(overlay.Find(Table::kWork, "key"), Pointee(Optional(std::string())));
}

TEST(Overlay, TablesAreApart) {
  Overlay overlay;
  overlay.Write(Table::kMeta, "key", "meta");
  overlay.Write(Table::kWork, "key", "work");
  EXPECT_THAT(overlay.Find(Table::kMeta, "key"), Pointee(Optional(std::string("meta"))));
  EXPECT_THAT(overlay.Find(Table::kWork, "key"), Pointee(Optional(std::string("work"))));
  EXPECT_EQ(overlay.Find(Table::kTokens, "key"), nullptr);
  EXPECT_EQ(overlay.Find(Table::kResources, "key"), nullptr);
}

TEST(Overlay, RowsAreInTheOrderOfTheirUnsignedBytes) {
  Overlay overlay;
  const std::string keys[] = {"\xFF", "a", std::string(1, '\0'), "\x7F"};
  for (const std::string& key : keys) overlay.Write(Table::kTokens, key, "");
  EXPECT_THAT(overlay.rows(Table::kTokens),
              ElementsAre(Pair(keys[2], ""), Pair(keys[1], ""), Pair(keys[3], ""), Pair(keys[0], "")));
}

TEST(Overlay, AbsorbLetsTheNewerWritesCount) {
  Overlay older;
  older.Write(Table::kTokens, "kept", "older");
  older.Write(Table::kTokens, "changed", "older");
  older.Write(Table::kTokens, "deleted", "older");
  older.Write(Table::kTokens, "revived", kDeleted);
  Overlay newer;
  newer.Write(Table::kTokens, "added", "newer");
  newer.Write(Table::kTokens, "changed", "newer");
  newer.Write(Table::kTokens, "deleted", kDeleted);
  newer.Write(Table::kTokens, "revived", "newer");
  older.Absorb(std::move(newer));
  EXPECT_THAT(older.rows(Table::kTokens),
              ElementsAre(Pair("added", "newer"), Pair("changed", "newer"), Pair("deleted", kDeleted),
                          Pair("kept", "older"), Pair("revived", "newer")));
}

TEST(Overlay, AbsorbConcernsEveryTable) {
  constexpr Table kTables[] = {Table::kMeta, Table::kTokens, Table::kResources, Table::kWork};
  Overlay older;
  Overlay newer;
  for (Table table : kTables) newer.Write(table, "key", "newer");
  older.Write(Table::kResources, "other", "older");
  older.Absorb(std::move(newer));
  for (Table table : kTables) EXPECT_THAT(older.Find(table, "key"), Pointee(Optional(std::string("newer"))));
  EXPECT_THAT(older.Find(Table::kResources, "other"), Pointee(Optional(std::string("older"))));
}

}  // namespace
}  // namespace hapax
