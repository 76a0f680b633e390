#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/journal/token_journal.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/client/journal/journal_fixture.h"
#include "hapax/tests/support/status_matchers.h"

// Files that are no journal, or not a whole one: an error, or what was in it; never a crash, and nothing is destroyed.
namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::AnyOf;
using ::testing::HasSubstr;

using TokenJournalDamage = JournalFixture;

TEST_F(TokenJournalDamage, APlaceWhereNoneCanBeIsPermissionDenied) {
  for (const std::string& nowhere : {dir.Path("no/such/directory"), dir.Path("")}) {
    EXPECT_THAT(TokenJournal::Open(nowhere), StatusIs(StatusCode::kPermissionDenied, HasSubstr(nowhere)));
  }
}

TEST_F(TokenJournalDamage, GarbageIsDataLossAndStaysAsItIs) {
  for (const std::string& garbage :
       {std::string("x"), std::string("not a database at all"), std::string(10'000, 'x'), std::string(4096, '\0')}) {
    WriteFile(path, garbage);
    EXPECT_THAT(TokenJournal::Open(path), StatusIs(StatusCode::kDataLoss, HasSubstr(path)));
    EXPECT_TRUE(ReadFile(path) == garbage);
  }
}

TEST_F(TokenJournalDamage, AnotherProgramsDatabaseIsDataLossAndStaysAsItIs) {
  Sql(path, "CREATE TABLE pets (name TEXT); INSERT INTO pets VALUES ('Rex');");
  const std::string before = ReadFile(path);
  EXPECT_THAT(TokenJournal::Open(path), StatusIs(StatusCode::kDataLoss, HasSubstr("not a journal")));
  EXPECT_TRUE(ReadFile(path) == before);
}

TEST_F(TokenJournalDamage, ANewerVersionIsRefusedAndStaysAsItIs) {
  MustOpen(path).reset();
  Sql(path, "PRAGMA user_version = 3");
  const std::string before = ReadFile(path);
  EXPECT_THAT(TokenJournal::Open(path), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("version 3")));
  EXPECT_TRUE(ReadFile(path) == before);
}

// A journal with many intents, in one file.
std::string FilledJournal(const std::string& path) {
  {
    const auto journal = MustOpen(path);
    for (int i = 0; i < 100; ++i) {
      EXPECT_THAT(journal->Begin({.method = "a.B/C", .request = std::string(200, 'r'), .token = absl::StrCat(i)}),
                  IsOk());
    }
  }
  return ReadFile(path);
}

// Uses what is at the path: it works, or it is found to be damaged.
void ExpectErrorOrSound(const std::string& path) {
  const auto journal = TokenJournal::Open(path);
  const auto damaged = AnyOf(StatusIs(StatusCode::kDataLoss), StatusIs(StatusCode::kUnavailable));
  if (!journal.ok()) {
    EXPECT_THAT(journal, damaged);
    return;
  }
  const auto intents = (*journal)->TakeOver();
  EXPECT_THAT(intents, AnyOf(IsOk(), damaged));
  const auto begun = (*journal)->Begin(CallWith("new"));
  EXPECT_THAT(begun, AnyOf(IsOk(), damaged));
}

TEST_F(TokenJournalDamage, ATruncatedFileIsDataLoss) {
  const std::string whole = FilledJournal(path);
  ASSERT_GT(whole.size(), 20'000u);
  for (const size_t size : {whole.size() - 1, whole.size() - 4096, whole.size() / 2, size_t{4096}, size_t{100}}) {
    const std::string cut = dir.Path(absl::StrCat("cut-", size));
    WriteFile(cut, whole.substr(0, size));
    EXPECT_THAT(TokenJournal::Open(cut), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

TEST_F(TokenJournalDamage, DamageAnywhereIsAnErrorOrDoesNoHarm) {
  const std::string whole = FilledJournal(path);
  for (size_t at = 0; at < whole.size(); at += 97) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    const std::string file = dir.Path("damaged");
    for (const char* const beside : {"", "-wal", "-shm"}) std::filesystem::remove(file + beside);
    WriteFile(file, damaged);
    ExpectErrorOrSound(file);
  }
}

// SQLite takes it for the type of a column like any other: owners would have no number, and so be neither locked nor
// found dead, and the intents of before would be nobody's for ever.
TEST_F(TokenJournalDamage, ADamagedTableDefinitionIsDataLoss) {
  const std::string whole = FilledJournal(path);
  const std::string key = "PRIMARY KEY ";
  const size_t owners = whole.find("CREATE TABLE owners");
  ASSERT_NE(owners, std::string::npos);
  std::string damaged = whole;
  for (size_t at = whole.find(key, owners), end = at + key.size(); at < end; ++at) damaged[at] = '\xbf';
  WriteFile(path, damaged);
  EXPECT_THAT(TokenJournal::Open(path), StatusIs(StatusCode::kDataLoss, HasSubstr("damaged")));
}

TEST_F(TokenJournalDamage, AnIntentWhoseOwnerIsDamagedIsTakenOver) {
  FilledJournal(path);
  Sql(path, "UPDATE intents SET owner = owner + 77 WHERE id = 3");
  const auto intents = MustOpen(path)->TakeOver();
  ASSERT_THAT(intents, IsOk());
  EXPECT_EQ(intents->size(), 100u);
}

TEST_F(TokenJournalDamage, ATornWriteLeavesWhatWasBefore) {
  const auto journal = MustOpen(path);
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) {
    tokens.push_back(absl::StrCat("token-", i));
    ASSERT_THAT(journal->Begin(CallWith(tokens.back())), IsOk());
  }
  // What a crash leaves of the log: the beginning.
  const std::string log = ReadFile(path + "-wal");
  size_t found_most = 0;
  for (size_t size = 0; size <= log.size(); size += 509) {
    const std::string torn = dir.Path(absl::StrCat("torn-", size));
    WriteFile(torn, ReadFile(path));
    WriteFile(torn + "-wal", log.substr(0, size));
    const auto opened = TokenJournal::Open(torn);
    if (!opened.ok()) continue;  // Its tables were in the log, too.
    const std::vector<std::string> found = TokensOf((*opened)->TakeOver().value());
    EXPECT_EQ(found, std::vector<std::string>(tokens.begin(), tokens.begin() + static_cast<int>(found.size())));
    EXPECT_GE(found.size(), found_most);
    found_most = found.size();
  }
  EXPECT_GE(found_most, 19u);
}

}  // namespace
}  // namespace hapax::client
