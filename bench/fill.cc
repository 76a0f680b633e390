// Quickly fills the token table of a data directory with records: two threads make sorted files, which RocksDB takes
// unchanged.
//
//   bench_fill --data_dir=DIR --tokens=10000000      prints one JSON object
//
// A server must have executed RunInstances once in the directory, with a client token. Every new record is a copy of
// that record with its own token and ids. So format, policy, fingerprint and the size of the reply are the server's,
// and a retry of any of them is that call with another token (filled_token.h).
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hapax/base/check.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/bench/filled_token.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/database.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/utilities/options_util.h"

ABSL_FLAG(std::string, data_dir, "", "The directory, of a server that is stopped");
ABSL_FLAG(uint64_t, tokens, 10'000, "How many records are added");
ABSL_FLAG(uint64_t, seed, 1, "Of the tokens");
ABSL_FLAG(absl::Duration, expire_in, absl::InfiniteDuration(),
          "When the records expire, from now, such as 60s; inf for when the server's own record does");
ABSL_FLAG(absl::Duration, file_age, absl::ZeroDuration(),
          "How old RocksDB takes the files to be, which decides when it compacts them without cause");

namespace hapax::bench {
namespace {

constexpr size_t kRecordsInFile = 250'000;
constexpr int kThreads = 2;

// Gives files an earlier modification time.
class PastEnv final : public rocksdb::EnvWrapper {
 public:
  explicit PastEnv(absl::Duration age) : EnvWrapper(rocksdb::Env::Default()), age_(age) {}
  rocksdb::Status GetCurrentTime(int64_t* unix_time) override {
    *unix_time = absl::ToUnixSeconds(absl::Now() - age_);
    return rocksdb::Status::OK();
  }

 private:
  const absl::Duration age_;
};

// A random id of the same kind and length: `i-` and hexadecimal digits.
std::string RenewedId(std::string_view id, uint64_t random) {
  const size_t digits = id.find('-') + 1;
  return absl::StrCat(std::string(id.substr(0, digits)),
                      absl::StrFormat("%016x%016x", random, ~random).substr(0, id.size() - digits));
}

// The server's own record, and its copies.
class Pattern {
 public:
  // Errors: DATA_LOSS, the row is not the record of one launch.
  [[nodiscard]] static absl::StatusOr<Pattern> Parse(std::string_view key, std::string_view value) {
    Pattern pattern;
    HAPAX_ASSIGN_OR_RETURN(pattern.key_, DecodeTokenKey(key));
    HAPAX_RETURN_IF_ERROR(DecodeRow(key, value, &pattern.record_));
    if (pattern.reply_.ParseFromString(pattern.record_.reply()) && pattern.reply_.instances_size() == 1) return pattern;
    return absl::DataLossError("the directory's first token is not of the launch of one instance");
  }

  void ExpireAt(absl::Time time) {
    const absl::Duration later = time - FromTimestamp(record_.expires_at());
    *record_.mutable_expires_at() = ToTimestamp(time);
    *record_.mutable_forget_at() = ToTimestamp(FromTimestamp(record_.forget_at()) + later);
  }

  // The row of `token`. Its ids are as random as a server's, so they compress no better.
  [[nodiscard]] std::pair<std::string, std::string> Copy(const FilledToken& token) {
    key_.token = token.ToString();
    const FilledToken random = FilledToken::At(token.high, token.low);
    compute::v1::Instance& instance = *reply_.mutable_instances(0);
    reply_.set_reservation_id(RenewedId(reply_.reservation_id(), random.high));
    instance.set_reservation_id(reply_.reservation_id());
    instance.set_instance_id(RenewedId(instance.instance_id(), random.low));
    instance.set_client_token(key_.token);
    const auto nanos = static_cast<int32_t>(random.low % 1'000'000) * 1000;
    for (google::protobuf::Timestamp* time : {instance.mutable_launch_time(), record_.mutable_executed_at(),
                                              record_.mutable_expires_at(), record_.mutable_forget_at()}) {
      time->set_nanos(nanos);
    }
    record_.set_reply(reply_.SerializeAsString());
    std::string key = EncodeTokenKey(key_);
    std::string value = EncodeRow(key, record_);
    return {std::move(key), std::move(value)};
  }

 private:
  TokenKey key_;
  store::v1::TokenRecord record_;
  compute::v1::RunInstancesResponse reply_;
};

absl::Status WriteFile(const std::string& path, const rocksdb::Options& options, absl::Span<const FilledToken> tokens,
                       Pattern& pattern) {
  // Keeps the files in the page cache, like a server that has just written them.
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options, /*column_family=*/nullptr,
                                /*invalidate_page_cache=*/false);
  HAPAX_RETURN_IF_ERROR(FromRocksDb(writer.Open(path)));
  for (const FilledToken& token : tokens) {
    const auto [key, value] = pattern.Copy(token);
    HAPAX_RETURN_IF_ERROR(FromRocksDb(writer.Put(key, value)));
  }
  return FromRocksDb(writer.Finish());
}

// Writes the records of `sorted` tokens to new files in `directory`.
absl::StatusOr<std::vector<std::string>> WriteFiles(const std::string& directory, const rocksdb::Options& options,
                                                    absl::Span<const FilledToken> sorted, const Pattern& pattern) {
  std::vector<std::string> files((sorted.size() + kRecordsInFile - 1) / kRecordsInFile);
  std::vector<absl::Status> statuses(files.size());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, own_pattern = pattern]() mutable {
      for (size_t file = next++; file < files.size(); file = next++) {
        files[file] = absl::StrCat(directory, "/filled.", file, ".tmp");
        statuses[file] =
            WriteFile(files[file], options, sorted.subspan(file * kRecordsInFile, kRecordsInFile), own_pattern);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) HAPAX_RETURN_IF_ERROR(status);
  return files;
}

// The token table of a directory, opened with the options that its server stored.
class TokenFiles {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TokenFiles>> Open(std::string path, rocksdb::Env& env) {
    std::unique_ptr<TokenFiles> files(new TokenFiles(std::move(path)));
    rocksdb::ConfigOptions config;
    config.env = &env;
    rocksdb::DBOptions options;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    HAPAX_RETURN_IF_ERROR(FromRocksDb(rocksdb::LoadLatestOptions(config, files->path_, &options, &families)));
    options.env = &env;
    for (rocksdb::ColumnFamilyDescriptor& family : families) family.options.disable_auto_compactions = true;
    rocksdb::DB* db = nullptr;
    HAPAX_RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::Open(options, files->path_, families, &files->handles_, &db)));
    files->db_.reset(db);
    for (rocksdb::ColumnFamilyHandle* handle : files->handles_) {
      if (handle->GetName() == TableName(Table::kTokens)) files->tokens_ = handle;
    }
    if (files->tokens_ == nullptr) return absl::DataLossError("the directory has no table of tokens");
    return files;
  }
  ~TokenFiles() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    if (db_ != nullptr) db_->Close().PermitUncheckedError();
  }
  TokenFiles(const TokenFiles&) = delete;
  TokenFiles& operator=(const TokenFiles&) = delete;

  // Reads the table's first record.
  [[nodiscard]] absl::StatusOr<Pattern> ReadPattern() const {
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions(), tokens_));
    row->SeekToFirst();
    if (!row->Valid()) return absl::NotFoundError("no call with a token was executed in the directory");
    return Pattern::Parse(row->key().ToStringView(), row->value().ToStringView());
  }

  [[nodiscard]] absl::Status Add(absl::Span<const FilledToken> sorted, const Pattern& pattern) {
    HAPAX_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                           WriteFiles(path_, db_->GetOptions(tokens_), sorted, pattern));
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    return FromRocksDb(db_->IngestExternalFile(tokens_, files, options));
  }

  [[nodiscard]] uint64_t Bytes() const {
    uint64_t bytes = 0;
    HAPAX_CHECK(db_->GetIntProperty(tokens_, rocksdb::DB::Properties::kLiveSstFilesSize, &bytes), "RocksDB knows it");
    return bytes;
  }

 private:
  explicit TokenFiles(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  rocksdb::ColumnFamilyHandle* tokens_ = nullptr;
};

absl::Status Fill() {
  const absl::Time start = absl::Now();
  PastEnv env(absl::GetFlag(FLAGS_file_age));
  HAPAX_ASSIGN_OR_RETURN(const auto files, TokenFiles::Open(absl::GetFlag(FLAGS_data_dir), env));
  HAPAX_ASSIGN_OR_RETURN(Pattern pattern, files->ReadPattern());
  const absl::Duration expire_in = absl::GetFlag(FLAGS_expire_in);
  if (expire_in < absl::InfiniteDuration()) pattern.ExpireAt(start + expire_in);

  std::vector<FilledToken> tokens(absl::GetFlag(FLAGS_tokens));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = FilledToken::At(absl::GetFlag(FLAGS_seed), i);
  std::sort(tokens.begin(), tokens.end());
  HAPAX_RETURN_IF_ERROR(files->Add(tokens, pattern));
  std::printf("{\"tokens\": %zu, \"seconds\": %.1f, \"disk_bytes_per_token\": %.1f}\n", tokens.size(),
              absl::ToDoubleSeconds(absl::Now() - start),
              static_cast<double>(files->Bytes()) / static_cast<double>(tokens.size()));
  return absl::OkStatus();
}

}  // namespace
}  // namespace hapax::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = hapax::bench::Fill();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_fill: %s\n", std::string(status.message()).c_str());
  return 1;
}
