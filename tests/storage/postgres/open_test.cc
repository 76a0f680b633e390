#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/storage/postgres/postgres_server.h"
#include "hapax/tests/support/status_matchers.h"

// What is checked before an engine begins: options, server, tables.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(PostgresOpenTest, WrongOptionsAreRefusedAndNothingOfTheConnectionStringIsTold) {
  PostgresOptions options = SharedPostgres().Options(NewSchema());
  for (const char* schema : {"", "1a", "Hapax", "ha-pax", "pax\"", "_a"}) {
    options.schema = schema;
    EXPECT_THAT(OpenPostgresBackend(options), StatusIs(StatusCode::kInvalidArgument, HasSubstr("postgres_schema")));
  }
  options.schema = "hapax";
  options.conninfo = "host=127.0.0.1 password=s3cret s3cret";
  EXPECT_THAT(OpenPostgresBackend(options),
              StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("connection string"), Not(HasSubstr("s3cret")))));
  options.conninfo = "host=127.0.0.1 port=1 password=s3cret";
  options.open_timeout = absl::ZeroDuration();
  EXPECT_THAT(OpenPostgresBackend(options),
              StatusIs(StatusCode::kUnavailable, AllOf(HasSubstr("127.0.0.1"), Not(HasSubstr("s3cret")))));
}

// Runs the statements that the error of a start names. Then it succeeds.
void GrantWhatIsLacking(const PostgresOptions& options) {
  const absl::Status error = OpenPostgresBackend(options).status();
  ASSERT_THAT(error, StatusIs(StatusCode::kPermissionDenied, HasSubstr("postgres_schema=" + options.schema)));
  const std::pair<std::string, std::string> parts = absl::StrSplit(error.message(), absl::MaxSplits("may: ", 1));
  for (const auto statement : absl::StrSplit(parts.second, ';')) SharedPostgres().Sql(std::string(statement));
  EXPECT_THAT(OpenPostgresBackend(options), IsOk());
}

TEST(PostgresOpenTest, AnEngineIsSetUpOnceAndItsTablesServeARoleThatMayNotCreateThem) {
  PostgresOptions options = SharedPostgres().Options("select");  // A word of SQL.
  ASSERT_THAT(OpenPostgresBackend(options), IsOk());
  ASSERT_THAT(OpenPostgresBackend(options), IsOk());
  EXPECT_EQ(SharedPostgres().Sql("SELECT connections::text FROM \"select\".engine"), "2");

  SharedPostgres().Sql("CREATE ROLE guest LOGIN");
  options.conninfo += " user=guest";
  EXPECT_THAT(OpenPostgresBackend(options), StatusIs(StatusCode::kPermissionDenied, HasSubstr("GRANT")));
  SharedPostgres().Sql("GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA \"select\" TO guest");
  GrantWhatIsLacking(options);
  SharedPostgres().Sql("REVOKE DELETE ON \"select\".rows FROM guest");  // Needed only later.
  GrantWhatIsLacking(options);
}

TEST(PostgresOpenTest, ARoleThatMayNotCreateTheTablesIsToldWhatItLacks) {
  PostgresOptions options = SharedPostgres().Options(NewSchema());
  SharedPostgres().Sql("CREATE ROLE \"Guest 2\" LOGIN");
  options.conninfo += " user='Guest 2'";
  EXPECT_THAT(OpenPostgresBackend(options),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("in the database postgres")));
  SharedPostgres().Sql("CREATE SCHEMA " + options.schema);
  GrantWhatIsLacking(options);  // It need not create schemas.
}

TEST(PostgresOpenTest, TablesOfAnotherLayoutAreRefusedAndTheirReleaseIsNamed) {
  const std::string schema = NewSchema();
  const PostgresOptions options = SharedPostgres().Options(schema);
  ASSERT_THAT(OpenPostgresBackend(options), IsOk());
  SharedPostgres().Sql("UPDATE " + schema + ".engine SET layout = 2, release = 'Hapax 47.11'");
  EXPECT_THAT(OpenPostgresBackend(options),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("have layout 2"), HasSubstr("has layout 1: use Hapax 47.11"))));
}

TEST(PostgresOpenTest, AServerThatCannotBeWrittenIsNotUsed) {
  const PostgresServer standby;
  standby.Sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
  PostgresOptions options = standby.Options("hapax");
  options.open_timeout = absl::ZeroDuration();
  EXPECT_THAT(OpenPostgresBackend(options), StatusIs(StatusCode::kUnavailable));
  options = SharedPostgres().Options(NewSchema());
  const std::string own = SharedPostgres().endpoint();
  const std::string other = standby.endpoint();
  options.conninfo = "host=127.0.0.1,127.0.0.1 port=" + other.substr(other.find(':') + 1) + "," +
                     own.substr(own.find(':') + 1) + " user=postgres dbname=postgres";
  EXPECT_THAT(OpenPostgresBackend(options), IsOk());
}

TEST(PostgresOpenTest, AHostThatDoesNotAnswerIsGivenUpForTheNext) {
  TcpProxy silent(SharedPostgres().endpoint(), PostgresMessages());
  silent.LoseAnswers();
  const std::string own = SharedPostgres().endpoint();
  const std::string other = silent.endpoint();
  PostgresOptions options = SharedPostgres().Options(NewSchema());
  options.conninfo = "host=127.0.0.1,127.0.0.1 port=" + other.substr(other.find(':') + 1) + "," +
                     own.substr(own.find(':') + 1) + " user=postgres dbname=postgres";
  EXPECT_THAT(OpenPostgresBackend(options), IsOk());
}

// What a database or a role sets for all sessions does not count.
TEST(PostgresOpenTest, ASessionHasItsOwnSettings) {
  const PostgresServer server({"default_transaction_isolation=serializable", "synchronous_commit=off",
                               "standard_conforming_strings=off", "bytea_output=escape"});
  EXPECT_THAT(OpenPostgresBackend(server.Options("hapax")), IsOk());
}

}  // namespace
}  // namespace hapax
