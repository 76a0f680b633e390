#ifndef HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FILES_H_
#define HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FILES_H_

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/client/journal/token_journal.h"

namespace hapax::client {

// A journal's files, as somebody sees them who does not go through it.

inline std::unique_ptr<TokenJournal> MustOpen(const std::string& path) { return TokenJournal::Open(path).value(); }

inline RawCall CallWith(const std::string& token) {
  return {.method = "a.B/C", .request = "request of " + token, .token = token};
}

inline std::vector<std::string> TokensOf(const std::vector<TokenJournal::Intent>& intents) {
  std::vector<std::string> tokens;
  tokens.reserve(intents.size());
  for (const TokenJournal::Intent& intent : intents) tokens.push_back(intent.call.token);
  return tokens;
}

// Runs SQL on the file over another connection; the first column of its rows.
inline std::vector<std::string> Sql(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  std::vector<std::string> rows;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  const auto add = [](void* to, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(to)->emplace_back(values[0] == nullptr ? "" : values[0]);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), add, &rows, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  return rows;
}

// The tokens that are in the file, oldest first.
inline std::vector<std::string> TokensIn(const std::string& path) {
  return Sql(path, "SELECT CAST(token AS TEXT) FROM intents ORDER BY id");
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}
inline void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// The files of the journal: itself and those beside it.
inline std::vector<std::string> FilesOf(const std::string& path) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    if (entry.path().string().starts_with(path)) files.push_back(entry.path().string());
  }
  return files;
}

}  // namespace hapax::client

#endif  // HAPAX_TESTS_CLIENT_JOURNAL_JOURNAL_FILES_H_
